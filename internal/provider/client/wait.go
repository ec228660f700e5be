package client

import (
	"context"
	"fmt"
	"time"
)

// The first poll comes soon, because many objects are ready at once. The pauses
// then grow to the official provider's interval.
const (
	firstPollPause = 50 * time.Millisecond
	pollGrowth     = 1.6
	maxPollPause   = 5 * time.Second
)

// poll calls check until it reports done or fails, and returns the results of
// the last call. It pauses before each call; the pauses grow. If the context ends
// first, the error wraps the context's.
func poll[T any](ctx context.Context, check func() (T, bool, error)) (T, error) {
	pause := backoff{next: firstPollPause, growth: pollGrowth, maximum: maxPollPause}
	for {
		if err := sleep(ctx, pause.step()); err != nil {
			var zero T
			return zero, err
		}
		value, done, err := check()
		if err != nil || done {
			return value, err
		}
	}
}

// A waiter waits for state changes of one object of the API.
type waiter[T any] struct {
	// noun names the object in errors.
	noun      string
	get       func() (*T, error)
	status    func(*T) string
	transient func(*T) bool
}

// untilSettled returns the object once it is not in a transient state. Known is
// the object's last known state; if it is nil, the object is read first.
func (w waiter[T]) untilSettled(ctx context.Context, known *T) (*T, error) {
	if known == nil {
		var err error
		if known, err = w.get(); err != nil {
			return nil, err
		}
	}
	if !w.transient(known) {
		return known, nil
	}
	last := known
	settled, err := poll(ctx, func() (*T, bool, error) {
		current, err := w.get()
		if err != nil {
			return nil, false, err
		}
		last = current
		return current, !w.transient(current), nil
	})
	if err != nil {
		return nil, w.withStatus(ctx, last, err)
	}
	return settled, nil
}

// untilDeleted returns nil once the API answers that the object does not exist.
func (w waiter[T]) untilDeleted(ctx context.Context, known *T) error {
	last := known
	_, err := poll(ctx, func() (*T, bool, error) {
		current, err := w.get()
		if IsNotFound(err) {
			return nil, true, nil
		}
		if err == nil {
			last = current
		}
		return current, false, err
	})
	return w.withStatus(ctx, last, err)
}

// withStatus adds the object's last status to an error of a context that ended,
// and returns every other error unchanged.
func (w waiter[T]) withStatus(ctx context.Context, last *T, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("the %s is still in status %q: %w", w.noun, w.status(last), ctx.Err())
}
