package store

import (
	"errors"
	"time"
)

// ErrUnknownKind is returned for a change of a kind of object that this version of the
// program does not know. A follower cannot show the state after it.
var ErrUnknownKind = errors.New("a newer version of jeton has written a kind of object that this version does not know: start the newer version")

// A Change is one committed put or delete of one object.
type Change struct {
	// Number counts the changes from 1, without gaps, in the order of commits.
	Number int64
	// UID is a random text that no other change has.
	UID string
	// Object is the state that was committed or, if Deleted is set, the last state
	// of the object.
	Object      Object
	Deleted     bool
	CommittedAt time.Time
}

// Position returns the position of a follower that has applied the change.
func (c Change) Position() Position { return Position{c.Number, c.UID} }

// A Position identifies the last change that a follower has applied. The zero
// Position is before all changes. A Position whose UID differs from that of the
// stored change with the same number belongs to another history, for example of a
// database that was restored from a backup.
type Position struct {
	Number int64
	UID    string
}

// Retention bounds the changes that a store keeps for Follow. The oldest changes
// are removed first; the last change always stays.
type Retention struct {
	// Changes is the maximum number of changes, and Bytes the maximum size of
	// their objects in total.
	Changes int64
	Bytes   int64
	// Age is how long a change is kept.
	Age time.Duration
}

// DefaultRetention returns the bounds that a store has unless others are set.
func DefaultRetention() Retention {
	return Retention{Changes: 10_000, Bytes: 64 << 20, Age: 24 * time.Hour}
}
