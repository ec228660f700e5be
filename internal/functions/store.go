package functions

import (
	"context"
	"errors"
	"time"
)

// An Object is a value with an ID that the store keeps.
type Object interface{ ObjectID() string }

// Store is the part of store.Store that this package uses.
type Store interface {
	// View runs read on one consistent state.
	View(ctx context.Context, read func(Tx) error) error
	// Update runs write and commits its puts and deletes, unless write returns an
	// error. It may run write several times, so write must have no other effects.
	Update(ctx context.Context, write func(Tx) error) error
}

// Tx is one transaction. The methods that return one object return an Error with
// the code NotFound if the object does not exist.
type Tx interface {
	Namespace(id string) (Namespace, error)
	Function(id string) (Function, error)
	Token(id string) (Token, error)
	Cron(id string) (Cron, error)
	Trigger(id string) (Trigger, error)
	Domain(id string) (Domain, error)

	// The lists return the objects of one page and the number of all matching
	// objects. A zero Page returns all, oldest first.
	Namespaces(Filter, Page) ([]Namespace, int, error)
	Functions(Filter, Page) ([]Function, int, error)
	Tokens(Filter, Page) ([]Token, int, error)
	Crons(Filter, Page) ([]Cron, int, error)
	Triggers(Filter, Page) ([]Trigger, int, error)
	Domains(Filter, Page) ([]Domain, int, error)

	// Put inserts or replaces an object.
	Put(Object) error
	// Delete deletes an object. It returns nil if the object does not exist.
	Delete(Object) error

	// Usable returns ErrCondemned for the key of a stored archive or artifact that is
	// going to be deleted, because nothing referred to it. A change that refers to a file
	// calls it in its transaction. The key "" is always usable.
	Usable(key string) error
}

// A Filter selects the objects of a list. Empty fields match every object.
type Filter struct {
	Region         Region
	ProjectID      string
	OrganizationID string
	NamespaceID    string
	FunctionID     string
	Name           string
	Hostname       string
	// Projects are the IDs of the projects to list from. Nil means all projects.
	Projects []string
	// Search selects the tokens whose description contains the text, in upper or lower
	// case, or whose ID or scope it is. ExpiresBefore, which is only used together with
	// ExpiresAfter, selects those that expire between the two. Only lists of tokens have
	// them. With one of them, a list is not counted: its number is -1, and a page has one
	// more object if there are more.
	Search                      string
	ExpiresAfter, ExpiresBefore time.Time
}

// Scans reports whether a list must read every object to find those that match.
func (f Filter) Scans() bool { return f.Search != "" || !f.ExpiresBefore.IsZero() }

// get runs one read and returns its result.
func get[T any](ctx context.Context, store Store, read func(Tx) (T, error)) (T, error) {
	var found T
	err := store.View(ctx, func(tx Tx) (err error) {
		found, err = read(tx)
		return err
	})
	return found, err
}

// change runs one write and returns its result.
func change[T any](ctx context.Context, store Store, write func(Tx) (T, error)) (T, error) {
	var changed T
	err := store.Update(ctx, func(tx Tx) (err error) {
		changed, err = write(tx)
		return err
	})
	return changed, err
}

// list returns the objects in the scope that match the filter, and their number. A
// filter for a project or an organization outside the scope matches nothing.
func list[T any](ctx context.Context, store Store, scope Scope, filter Filter, read func(Tx, Filter) ([]T, int, error)) ([]T, int, error) {
	foreign := filter.ProjectID != "" && !scope.Covers(filter.ProjectID) ||
		filter.OrganizationID != "" && filter.OrganizationID != scope.OrganizationID
	if foreign {
		return nil, 0, nil
	}
	filter.Region, filter.OrganizationID = scope.Region, ""
	switch {
	case filter.ProjectID != "":
	case scope.Projects == nil:
		filter.ProjectID = scope.ProjectID
	default:
		filter.Projects = scope.Projects
	}
	var found []T
	var total int
	err := store.View(ctx, func(tx Tx) (err error) {
		found, total, err = read(tx, filter)
		return err
	})
	return found, total, err
}

// deleteAttached deletes the tokens, crons, triggers and domains of a function.
func deleteAttached(tx Tx, functionID string) error {
	of := Filter{FunctionID: functionID}
	return errors.Join(
		deleteAll(tx, of, tx.Tokens), deleteAll(tx, of, tx.Crons),
		deleteAll(tx, of, tx.Triggers), deleteAll(tx, of, tx.Domains),
	)
}

func deleteAll[T Object](tx Tx, filter Filter, find func(Filter, Page) ([]T, int, error)) error {
	found, _, err := find(filter, Page{})
	if err != nil {
		return err
	}
	for _, object := range found {
		if err := tx.Delete(object); err != nil {
			return err
		}
	}
	return nil
}
