package table

import (
	"fmt"
	"reflect"

	"github.com/jeton-dev/jeton/internal/store"
)

// A Kind is the Table of a type of objects that the caller does not know.
type Kind interface {
	TableName() string
	// Holds returns the type of the objects.
	Holds() reflect.Type
	// DecodeAny reads a document.
	DecodeAny(document []byte) (store.Object, error)

	// put stores an object of the type that the table holds, and returns its document.
	put(s Statements, object store.Object) (document string, err error)
}

// Kinds are all tables. A table comes after those that its objects refer to.
var Kinds = []Kind{Projects, APIKeys, Namespaces, Functions, Tokens, Crons, Triggers, Domains, Members}

// Decode reads a document of the table with a name. Its errors wrap ErrUndecodable, and
// store.ErrUnknownKind if there is no such table.
func Decode(name string, document []byte) (store.Object, error) {
	for _, k := range Kinds {
		if k.TableName() == name {
			return k.DecodeAny(document)
		}
	}
	return nil, fmt.Errorf("%w: %.200q: %w", ErrUndecodable, name, store.ErrUnknownKind)
}

// kindOf returns the table of an object, or ErrUnknown.
func kindOf(object store.Object) (Kind, error) {
	for _, k := range Kinds {
		if k.Holds() == reflect.TypeOf(object) {
			return k, nil
		}
	}
	return nil, ErrUnknown
}

// put implements Kind.
func (t Table[T]) put(s Statements, object store.Object) (document string, err error) {
	o, ok := object.(T)
	if !ok {
		return "", ErrUnknown
	}
	// A row that no follower could read would stop all nodes.
	if err := checkIDs(o.ObjectID(), t.ids(o)); err != nil {
		return "", err
	}
	document, err = Document(o)
	if err != nil {
		return "", err
	}
	columns := append([]string{"id", "created_at", "body"}, t.Columns...)
	values := append([]any{o.ObjectID(), t.created(o).UnixNano(), document}, t.values(o)...)
	return document, s.PutRow(t.Name, columns, values)
}
