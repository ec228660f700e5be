package storetest

import (
	"context"
	"errors"

	"github.com/jeton-dev/jeton/internal/store"
)

// errRollBack ends the first run of each write.
var errRollBack = errors.New("roll back the first run")

// Twice returns the store with each transaction run twice, as a store does that
// retries: the first run of a write is rolled back. A test that passes with the
// store itself and fails with Twice has a function with side effects.
func Twice(s store.Store) store.Store { return twice{s} }

type twice struct{ store.Store }

// View implements store.Store.
func (t twice) View(ctx context.Context, read func(store.Tx) error) error {
	_ = t.Store.View(ctx, read) // The second run returns the same error.
	return t.Store.View(ctx, read)
}

// Update implements store.Store.
func (t twice) Update(ctx context.Context, write func(store.Tx) error) error {
	err := t.Store.Update(ctx, func(tx store.Tx) error { return errors.Join(errRollBack, write(tx)) })
	if !errors.Is(err, errRollBack) {
		return err // The first run did not begin.
	}
	return t.Store.Update(ctx, write)
}
