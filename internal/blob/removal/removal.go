package removal

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Database is what Removals needs of postgres.Store, which documents the methods.
type Database interface {
	View(ctx context.Context, read func(store.Tx) error) error
	Condemn(ctx context.Context, functionID string, choose func(store.Tx) (keys []string, err error)) error
	CondemnedOf(ctx context.Context, functionIDs []string) (map[string]bool, error)
	CondemnedBefore(ctx context.Context, before time.Time, limit int) ([]string, error)
	NoteDeleted(ctx context.Context, keys []string) error
	BeginSweep(ctx context.Context, since time.Time) (after string, begun bool, err error)
	EndSweep(ctx context.Context, after string) error
}

// Config configures Removals. All fields are required, except that Retention may be 0.
type Config struct {
	Database Database
	// Retention is how long condemned objects are kept, so that a database that is
	// restored to a time within it finds its objects.
	Retention time.Duration
	// Interval is the time between two sweeps of the bucket.
	Interval time.Duration
	Now      func() time.Time
}

// Removals implements blob.Removals.
type Removals struct{ config Config }

var _ blob.Removals = (*Removals)(nil)

// New returns Removals. Returns an error if a required field is missing.
func New(c Config) (*Removals, error) {
	if c.Database == nil || c.Interval <= 0 || c.Now == nil || c.Retention < 0 {
		return nil, errors.New("configure removals: Database, Interval and Now are required, and Retention must not be negative")
	}
	return &Removals{c}, nil
}

// Condemn implements blob.Removals. The transaction reads what the function refers to: a
// change that commits before it is respected, and one that commits after it is refused.
func (r *Removals) Condemn(ctx context.Context, functionID string, objects []blob.Object) error {
	if len(objects) == 0 {
		return nil
	}
	var keys []string
	choose := func(tx store.Tx) (err error) {
		keys, err = unneeded(tx, functionID, objects)
		return err
	}
	// Most objects of a sweep are needed, so that it does not delay changes.
	if err := r.config.Database.View(ctx, choose); err != nil || len(keys) == 0 {
		return err
	}
	return r.config.Database.Condemn(ctx, functionID, func(tx store.Tx) ([]string, error) {
		err := choose(tx)
		return keys, err
	})
}

// unneeded returns the keys of objects to which a function does not refer.
func unneeded(tx store.Tx, functionID string, objects []blob.Object) (keys []string, err error) {
	f, err := tx.Function(functionID)
	if err != nil && !functions.IsNotFound(err) {
		return nil, err
	}
	for _, o := range objects {
		if !refers(f, o) {
			keys = append(keys, o.Key)
		}
	}
	return keys, nil
}

// refers reports whether a function needs an object. The zero Function, and one that is
// being deleted, need none.
func refers(f functions.Function, o blob.Object) bool {
	if f.ID == "" || f.Status == functions.Deleting {
		return false
	}
	if o.Archive != "" {
		return slices.Contains(f.Archives(), o.Archive)
	}
	return f.Revision != nil && f.Revision.Artifact == o.Artifact
}

// CondemnCopies implements blob.Removals.
func (r *Removals) CondemnCopies(ctx context.Context, kept blob.Object, copies []blob.Object) error {
	if len(copies) == 0 {
		return nil
	}
	return r.config.Database.Condemn(ctx, kept.FunctionID, func(tx store.Tx) ([]string, error) {
		err := tx.Usable(kept.Key)
		if errors.Is(err, functions.ErrCondemned) {
			return nil, nil
		}
		keys := make([]string, len(copies))
		for i, o := range copies {
			keys[i] = o.Key
		}
		return keys, err
	})
}

// Condemned implements blob.Removals.
func (r *Removals) Condemned(ctx context.Context, functionIDs []string) (map[string]bool, error) {
	return r.config.Database.CondemnedOf(ctx, functionIDs)
}

// Due implements blob.Removals.
func (r *Removals) Due(ctx context.Context, limit int) ([]string, error) {
	return r.config.Database.CondemnedBefore(ctx, r.config.Now().Add(-r.config.Retention), limit)
}

// Deleted implements blob.Removals.
func (r *Removals) Deleted(ctx context.Context, keys []string) error {
	return r.config.Database.NoteDeleted(ctx, keys)
}

// BeginSweep implements blob.Removals.
func (r *Removals) BeginSweep(ctx context.Context) (string, bool, error) {
	return r.config.Database.BeginSweep(ctx, r.config.Now().Add(-r.config.Interval))
}

// EndSweep implements blob.Removals.
func (r *Removals) EndSweep(ctx context.Context, after string) error {
	return r.config.Database.EndSweep(ctx, after)
}
