package live

import (
	"cmp"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// An Event is a change of an object. It has no secrets, and no variables.
type Event struct {
	// Kind is namespace, function, token, cron, trigger, domain, project, api_key, or
	// revocation for a refused call with a revoked token.
	Kind    string
	ID      string
	Deleted bool
	// Region is empty for objects without one.
	Region functions.Region
	// ProjectID is the project of the object.
	ProjectID               string
	NamespaceID, FunctionID string
	Name                    string
	Status                  functions.Status
	// Message is the error message or the progress of a function, trigger or domain.
	Message string
}

// eventOf returns the event of a change.
func eventOf(change store.Change) Event {
	e := Event{ID: change.Object.ObjectID(), Deleted: change.Deleted}
	switch o := change.Object.(type) {
	case functions.Namespace:
		e.Kind, e.Region, e.ProjectID, e.Name, e.Status = "namespace", o.Region, o.ProjectID, o.Name, o.Status
	case functions.Function:
		e.Kind, e.Region, e.ProjectID, e.NamespaceID, e.Name, e.Status = "function", o.Region, o.ProjectID, o.NamespaceID, o.Name, o.Status
		e.Message = shorten(cmp.Or(o.ErrorMessage, o.BuildMessage))
	case functions.Token:
		e.Kind, e.Region, e.ProjectID, e.NamespaceID, e.FunctionID, e.Status = "token", o.Region, o.ProjectID, o.NamespaceID, o.FunctionID, o.Status
	case functions.Cron:
		e.Kind, e.Region, e.ProjectID, e.FunctionID, e.Name, e.Status = "cron", o.Region, o.ProjectID, o.FunctionID, o.Name, o.Status
	case functions.Trigger:
		e.Kind, e.Region, e.ProjectID, e.FunctionID, e.Name, e.Status = "trigger", o.Region, o.ProjectID, o.FunctionID, o.Name, o.Status
		e.Message = shorten(o.ErrorMessage)
	case functions.Domain:
		e.Kind, e.Region, e.ProjectID, e.FunctionID, e.Name, e.Status = "domain", o.Region, o.ProjectID, o.FunctionID, o.Hostname, o.Status
		e.Message = shorten(o.ErrorMessage)
	case iam.Project:
		e.Kind, e.ProjectID, e.Name = "project", o.ID, o.Name
	case iam.APIKey:
		e.Kind, e.ProjectID, e.Name = "api_key", o.ProjectID, o.Description
	}
	return e
}
