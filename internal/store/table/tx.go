package table

import (
	"crypto/rand"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// Statements executes the statements of one transaction, in the SQL of a database. A
// function that receives a document must not keep it; its errors are returned
// unchanged.
type Statements interface {
	// GetRow returns the document of an object, nil if there is none.
	GetRow(table, id string) (document []byte, err error)
	// PutRow inserts a row, or replaces that with the same ID. The first column is id.
	PutRow(table string, columns []string, values []any) error
	DeleteRow(table, id string) error
	// ListRows passes the documents of a page to found, and returns the number of all
	// that match the filter. For a counted table, the numbers are stored by all columns
	// of filters, because counting a long table is slow.
	ListRows(table string, counted bool, filter functions.Filter, page functions.Page, found func(document []byte) error) (total int, err error)
	// EachRow passes every document to found, oldest first.
	EachRow(table string, found func(document []byte) error) error
	// Condemned reports whether a stored file is going to be deleted.
	Condemned(key string) (bool, error)
}

// A Tx implements store.Tx with the statements of one transaction, and collects its
// changes.
type Tx struct {
	statements Statements
	changes    []LoggedChange
}

// A LoggedChange is a change with the row that the change log keeps of it.
type LoggedChange struct {
	store.Change

	Table, Document string
}

var _ store.Tx = (*Tx)(nil)

// NewTx returns a transaction without changes.
func NewTx(s Statements) *Tx { return &Tx{statements: s} }

// Changes returns the changes so far. Their numbers follow last.
func (x *Tx) Changes(last int64) []LoggedChange {
	for i := range x.changes {
		x.changes[i].Number = last + int64(i) + 1
	}
	return x.changes
}

func (x *Tx) Project(id string) (iam.Project, error)           { return get(x, Projects, id) }
func (x *Tx) APIKey(accessKey string) (iam.APIKey, error)      { return get(x, APIKeys, accessKey) }
func (x *Tx) Namespace(id string) (functions.Namespace, error) { return get(x, Namespaces, id) }
func (x *Tx) Function(id string) (functions.Function, error)   { return get(x, Functions, id) }
func (x *Tx) Token(id string) (functions.Token, error)         { return get(x, Tokens, id) }
func (x *Tx) Cron(id string) (functions.Cron, error)           { return get(x, Crons, id) }
func (x *Tx) Trigger(id string) (functions.Trigger, error)     { return get(x, Triggers, id) }
func (x *Tx) Domain(id string) (functions.Domain, error)       { return get(x, Domains, id) }

func (x *Tx) Namespaces(f functions.Filter, p functions.Page) ([]functions.Namespace, int, error) {
	return list(x, Namespaces, f, p)
}

func (x *Tx) Functions(f functions.Filter, p functions.Page) ([]functions.Function, int, error) {
	return list(x, Functions, f, p)
}

func (x *Tx) Tokens(f functions.Filter, p functions.Page) ([]functions.Token, int, error) {
	return list(x, Tokens, f, p)
}

func (x *Tx) Crons(f functions.Filter, p functions.Page) ([]functions.Cron, int, error) {
	return list(x, Crons, f, p)
}

func (x *Tx) Triggers(f functions.Filter, p functions.Page) ([]functions.Trigger, int, error) {
	return list(x, Triggers, f, p)
}

func (x *Tx) Domains(f functions.Filter, p functions.Page) ([]functions.Domain, int, error) {
	return list(x, Domains, f, p)
}

// Projects implements store.Tx.
func (x *Tx) Projects() ([]iam.Project, error) {
	all, _, err := list(x, Projects, functions.Filter{}, functions.Page{})
	return all, err
}

// APIKeys implements store.Tx.
func (x *Tx) APIKeys() ([]iam.APIKey, error) {
	all, _, err := list(x, APIKeys, functions.Filter{}, functions.Page{})
	return all, err
}

// Usable implements functions.Tx.
func (x *Tx) Usable(key string) error {
	if key == "" {
		return nil
	}
	condemned, err := x.statements.Condemned(key)
	if err != nil {
		return fmt.Errorf("check file %.200q: %w", key, err)
	}
	if condemned {
		return functions.ErrCondemned
	}
	return nil
}

// Member implements store.Tx.
func (x *Tx) Member(incarnation string) (store.Member, error) { return get(x, Members, incarnation) }

// Members implements store.Tx.
func (x *Tx) Members() ([]store.Member, error) {
	all, _, err := list(x, Members, functions.Filter{}, functions.Page{})
	return all, err
}

// Put implements functions.Tx.
func (x *Tx) Put(object store.Object) error {
	kind, err := kindOf(object)
	if err != nil {
		return fmt.Errorf("put %T %s: %w", object, object.ObjectID(), err)
	}
	document, err := kind.put(x.statements, object)
	if err != nil {
		return fmt.Errorf("put %T %s: %w", object, object.ObjectID(), err)
	}
	x.note(kind, document, store.Change{Object: object})
	return nil
}

// Delete implements functions.Tx.
func (x *Tx) Delete(object store.Object) error {
	kind, err := kindOf(object)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	if err := x.statements.DeleteRow(kind.TableName(), object.ObjectID()); err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	document, err := Document(object)
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, object.ObjectID(), err)
	}
	x.note(kind, document, store.Change{Object: object, Deleted: true})
	return nil
}

func (x *Tx) note(kind Kind, document string, change store.Change) {
	change.UID = rand.Text()
	x.changes = append(x.changes, LoggedChange{change, kind.TableName(), document})
}

// Each passes all objects of all tables to add. An object comes after those that it
// refers to, and the objects of a table come oldest first.
func Each(s Statements, add func(store.Object)) error {
	for _, kind := range Kinds {
		err := s.EachRow(kind.TableName(), func(document []byte) error {
			object, err := kind.DecodeAny(document)
			if err != nil {
				return err
			}
			add(object)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func get[T store.Object](x *Tx, t Table[T], id string) (object T, err error) {
	document, err := x.statements.GetRow(t.Name, id)
	if err != nil {
		return object, fmt.Errorf("get from %s: %w", t.Name, err)
	}
	if document == nil {
		return object, functions.NotFoundError(t.Resource, id)
	}
	return t.Decode(document)
}

func list[T store.Object](x *Tx, t Table[T], filter functions.Filter, page functions.Page) ([]T, int, error) {
	var found []T
	total, err := x.statements.ListRows(t.Name, t.Counted, filter, page, func(document []byte) error {
		object, err := t.Decode(document)
		if err != nil {
			return err
		}
		found = append(found, object)
		return nil
	})
	return found, total, err
}
