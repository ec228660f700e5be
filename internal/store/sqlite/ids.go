package sqlite

import (
	"fmt"
	"regexp"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// identifier is what the IDs, digests and names of files of objects look like. None
// leads out of a folder: a database that somebody else has made may have any.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// checkIDs returns an error for an object with an ID that is none.
func checkIDs(object any) error {
	id, others := idsOf(object)
	if !identifier.MatchString(id) {
		return fmt.Errorf("%.200q is not an ID", id)
	}
	for _, other := range others {
		if other != "" && !identifier.MatchString(other) {
			return fmt.Errorf("%.200q is not an ID", other)
		}
	}
	return nil
}

// idsOf returns the ID of an object, and what else of it names an object or a file.
// Those may be empty.
func idsOf(object any) (id string, others []string) {
	switch o := object.(type) {
	case *iam.Project:
		return o.ID, []string{o.OrganizationID}
	case *iam.APIKey:
		return o.ObjectID(), []string{o.ProjectID}
	case *functions.Namespace:
		return o.ID, []string{o.ProjectID, o.OrganizationID}
	case *functions.Function:
		others = []string{o.ProjectID, o.OrganizationID, o.NamespaceID, o.Archive, o.Target}
		if o.Revision != nil {
			others = append(others, o.Revision.ID, o.Revision.Artifact, o.Revision.Archive)
		}
		return o.ID, others
	case *functions.Token:
		return o.ID, []string{o.ProjectID, o.NamespaceID, o.FunctionID}
	case *functions.Cron:
		return o.ID, []string{o.ProjectID, o.FunctionID}
	case *functions.Trigger:
		return o.ID, []string{o.ProjectID, o.NamespaceID, o.FunctionID}
	case *functions.Domain:
		return o.ID, []string{o.ProjectID, o.FunctionID}
	}
	return "", nil
}
