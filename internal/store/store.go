package store

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/usage"
)

// An Object is a value that a Store keeps: a namespace, function, token, cron,
// trigger or domain of package functions, a project or API key of package iam, or a
// Member.
type Object = functions.Object

// A Store keeps objects in transactions and numbers their changes. All methods
// are safe for concurrent use.
type Store interface {
	// View runs read on one consistent state of the store.
	View(ctx context.Context, read func(Tx) error) error
	// Update runs write, and commits its puts and deletes unless write returns an
	// error. Each put and each delete is one Change. When Update returns nil, the
	// changes are on the disk and every follower has applied them. Only one write
	// runs at a time, so it should be short. An implementation may run write
	// several times: write must have no effect but the calls of its Tx and the
	// variables that it assigns in every run.
	Update(ctx context.Context, write func(Tx) error) error
	// Follow brings the follower up to date, and then makes it apply every change
	// in order, before the Update that made the change returns. If all changes
	// after from are kept, the follower applies them; otherwise it loads a
	// snapshot. The zero Position always leads to a snapshot. The follower must be
	// quick and must not use the store. It follows until the store is closed.
	Follow(ctx context.Context, from Position, follower Follower) error

	// Newest returns the number of the last committed change, 0 before the first.
	// It never blocks.
	Newest() int64
	// NewestAt returns when the last change was committed, the zero time before the
	// first.
	NewestAt(ctx context.Context) (time.Time, error)
	// Settled reports whether the outcome of every commit is known. While it is
	// false, followers may lack a change that is already stored, such as the
	// deletion of a token, so no caller may be admitted. It never blocks.
	Settled() bool
	// Check returns an error if the store cannot be read or written now.
	Check(ctx context.Context) error

	usage.Store
	// LastUses returns the last use of each ID. An ID without a use is missing.
	LastUses(ctx context.Context, kind usage.Kind, ids []string) (map[string]time.Time, error)

	// Close releases the store. No other method may be running.
	Close() error
}

// A Tx is one transaction. It is valid until the function that received it
// returns.
type Tx interface {
	functions.Tx

	// Project and APIKey return a functions.Error with the code NotFound if the
	// object does not exist. Projects and APIKeys return all, oldest first.
	Project(id string) (iam.Project, error)
	Projects() ([]iam.Project, error)
	APIKey(accessKey string) (iam.APIKey, error)
	APIKeys() ([]iam.APIKey, error)

	// Member returns a functions.Error with the code NotFound for an incarnation that is
	// not a member. Members returns all, oldest first: none at a store that only one
	// process can use.
	Member(incarnation string) (Member, error)
	Members() ([]Member, error)
}

// ErrUnsettled is returned while the outcome of an earlier commit is unknown.
var ErrUnsettled = &functions.Error{
	Code:    functions.Unavailable,
	Message: "the server cannot do this now: it is not known whether an earlier change was stored",
}

// Functions returns s as the store of package functions.
func Functions(s Store) functions.Store { return functionsStore{s} }

type functionsStore struct{ store Store }

func (s functionsStore) View(ctx context.Context, read func(functions.Tx) error) error {
	return s.store.View(ctx, func(tx Tx) error { return read(tx) })
}

func (s functionsStore) Update(ctx context.Context, write func(functions.Tx) error) error {
	return s.store.Update(ctx, func(tx Tx) error { return write(tx) })
}
