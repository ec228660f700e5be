package postgres

import (
	"context"
	"errors"
	"time"
)

// A lock is a mutex whose Lock a context can end.
type lock chan struct{}

func newLock() lock { return make(lock, 1) }

func (l lock) lock() { l <- struct{}{} }

func (l lock) lockContext(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l lock) unlock() { <-l }

// catchUpTimeout is the time in which the followers must get the changes that they lack or,
// if there are many, the next rowsPerExtension of them.
const (
	catchUpTimeout   = 10 * time.Second
	rowsPerExtension = 1024
)

// errSlow ends a read of the change log that makes no progress: a connection may hang
// without an error, for example in a proxy that is paused.
var errSlow = errors.New("the database does not answer")

// patience ends a context unless it is extended.
type patience struct {
	timer *time.Timer
	limit time.Duration
	rows  int
}

type patienceKey struct{}

// withPatience returns a context that ends with errSlow after a time without a call of
// extend. The caller must call stop.
func withPatience(ctx context.Context, limit time.Duration) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{timer: time.AfterFunc(limit, func() { cancel(errSlow) }), limit: limit}
	return context.WithValue(ctx, patienceKey{}, p), func() { p.timer.Stop(); cancel(nil) }
}

// progress is called for each row of a long read.
func (t *tx) progress() {
	p, ok := t.ctx.Value(patienceKey{}).(*patience)
	if !ok {
		return
	}
	if p.rows++; p.rows%rowsPerExtension == 0 {
		p.timer.Reset(p.limit)
	}
}
