package sqlite

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// The tables of all types of objects.
var (
	projects = table[iam.Project]{
		name: "projects", resource: "Project", columns: []string{"organization_id", "name"},
		values:  func(p iam.Project) []any { return []any{p.OrganizationID, p.Name} },
		created: func(p iam.Project) time.Time { return p.CreatedAt },
		ids:     func(p iam.Project) []string { return []string{p.OrganizationID} },
	}
	apiKeys = table[iam.APIKey]{
		name: "api_keys", resource: "API key", columns: []string{"project_id"},
		values:  func(k iam.APIKey) []any { return []any{k.ProjectID} },
		created: func(k iam.APIKey) time.Time { return k.CreatedAt },
		ids:     func(k iam.APIKey) []string { return []string{k.ProjectID} },
	}
	namespaces = table[functions.Namespace]{
		name: "namespaces", resource: "Namespace", columns: []string{"region", "project_id", "name"},
		values:  func(n functions.Namespace) []any { return []any{n.Region, n.ProjectID, n.Name} },
		created: func(n functions.Namespace) time.Time { return n.CreatedAt },
		ids:     func(n functions.Namespace) []string { return []string{n.ProjectID, n.OrganizationID} },
	}
	functionsTable = table[functions.Function]{
		name: "functions", resource: "Function",
		columns: []string{"region", "project_id", "organization_id", "namespace_id", "name"},
		values: func(f functions.Function) []any {
			return []any{f.Region, f.ProjectID, f.OrganizationID, f.NamespaceID, f.Name}
		},
		created: func(f functions.Function) time.Time { return f.CreatedAt },
		ids: func(f functions.Function) []string {
			ids := []string{f.ProjectID, f.OrganizationID, f.NamespaceID, f.Archive, f.Target}
			if f.Revision != nil {
				ids = append(ids, f.Revision.ID, f.Revision.Artifact, f.Revision.Archive)
			}
			return ids
		},
	}
	tokens = table[functions.Token]{
		name: "tokens", resource: "Token", columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Token) []any {
			return []any{t.Region, t.ProjectID, null(t.NamespaceID), null(t.FunctionID)}
		},
		created: func(t functions.Token) time.Time { return t.CreatedAt },
		ids:     func(t functions.Token) []string { return []string{t.ProjectID, t.NamespaceID, t.FunctionID} },
		counted: true,
	}
	crons = table[functions.Cron]{
		name: "crons", resource: "Cron", columns: []string{"region", "project_id", "function_id"},
		values:  func(c functions.Cron) []any { return []any{c.Region, c.ProjectID, c.FunctionID} },
		created: func(c functions.Cron) time.Time { return c.CreatedAt },
		ids:     func(c functions.Cron) []string { return []string{c.ProjectID, c.FunctionID} },
	}
	triggers = table[functions.Trigger]{
		name: "triggers", resource: "Trigger", columns: []string{"region", "project_id", "namespace_id", "function_id"},
		values: func(t functions.Trigger) []any {
			return []any{t.Region, t.ProjectID, t.NamespaceID, t.FunctionID}
		},
		created: func(t functions.Trigger) time.Time { return t.CreatedAt },
		ids:     func(t functions.Trigger) []string { return []string{t.ProjectID, t.NamespaceID, t.FunctionID} },
	}
	domains = table[functions.Domain]{
		name: "domains", resource: "Domain", columns: []string{"region", "project_id", "function_id", "hostname"},
		values:  func(d functions.Domain) []any { return []any{d.Region, d.ProjectID, d.FunctionID, d.Hostname} },
		created: func(d functions.Domain) time.Time { return d.CreatedAt },
		ids:     func(d functions.Domain) []string { return []string{d.ProjectID, d.FunctionID} },
	}
)

// tables are all tables. A table comes after those that its objects refer to.
var tables = []anyTable{projects, apiKeys, namespaces, functionsTable, tokens, crons, triggers, domains}

// errNoTable is returned for an object of an unknown type, including a pointer to
// a known type.
var errNoTable = errors.New("the store has no table for objects of this type")

// tableOf returns the table of an object, or errNoTable.
func tableOf(object store.Object) (anyTable, error) {
	for _, t := range tables {
		if t.holds() == reflect.TypeOf(object) {
			return t, nil
		}
	}
	return nil, errNoTable
}

// tableNamed returns the table with a name.
func tableNamed(name string) (anyTable, error) {
	for _, t := range tables {
		if t.tableName() == name {
			return t, nil
		}
	}
	return nil, fmt.Errorf("%w: %.200q is not a kind of object", errUndecodable, name)
}

// identifier is the form of IDs, digests and file names. A path component of this
// form stays within its folder, even if the database was written by someone else.
var identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// checkIDs returns an error unless id and the other texts have the form of an ID.
// Only the other texts may be empty.
func checkIDs(id string, others []string) error {
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
