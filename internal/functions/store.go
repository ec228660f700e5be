package functions

import (
	"context"
	"time"
)

// An Object is something that the store keeps: a Namespace, a Function, a
// Token, a Cron, a Trigger, a Domain, and what other packages have the store keep beside them.
type Object interface{ ObjectID() string }

// A Change is one committed step of the control plane.
type Change struct {
	// Number counts the changes, from 1, without a gap; zero for the objects
	// that were there when somebody began to follow.
	Number int64
	// Object is the state that was committed or, of a deleted object, the last
	// that it had.
	Object  Object
	Deleted bool
	// CommittedAt is when that was; zero where Number is.
	CommittedAt time.Time
}

// Store keeps the objects.
type Store interface {
	// View runs read on one consistent state of the store.
	View(ctx context.Context, read func(Tx) error) error
	// Update runs write alone, and commits what it did, with a numbered change
	// for each object, unless it returns an error. When Update has returned
	// nil the changes survive a crash, and all who follow the changes have
	// applied them. Keep write short: other writers wait for it.
	Update(ctx context.Context, write func(Tx) error) error
}

// Tx is one transaction. The methods that get one object return an Error with
// the code NotFound where it is not there.
type Tx interface {
	Namespace(id string) (Namespace, error)
	Function(id string) (Function, error)
	Token(id string) (Token, error)
	Cron(id string) (Cron, error)
	Trigger(id string) (Trigger, error)
	Domain(id string) (Domain, error)

	// The lists return the page's objects and the number of all that match.
	// A zero Page means all of them, oldest first.
	Namespaces(Filter, Page) ([]Namespace, int, error)
	Functions(Filter, Page) ([]Function, int, error)
	Tokens(Filter, Page) ([]Token, int, error)
	Crons(Filter, Page) ([]Cron, int, error)
	Triggers(Filter, Page) ([]Trigger, int, error)
	Domains(Filter, Page) ([]Domain, int, error)

	Put(Object) error
	Delete(Object) error
}

// A Filter says which objects to list. Empty fields match all.
type Filter struct {
	Region         Region
	ProjectID      string
	OrganizationID string
	NamespaceID    string
	FunctionID     string
	Name           string
	Hostname       string
	// Projects are the IDs of the projects to list from; nil means all.
	Projects []string
}
