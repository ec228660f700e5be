package client

import (
	"context"
	"fmt"
	"time"
)

// The first look comes soon, because much is ready at once, and the later ones
// ever more rarely, up to the pace at which the official provider asks.
const (
	firstPause  = 50 * time.Millisecond
	pauseGrowth = 1.6
	longPause   = 5 * time.Second
)

// poll calls look until it reports that it is done or fails, with growing pauses
// before each call, and returns what look returned last. When the context ends,
// the error wraps the context's.
func poll[T any](ctx context.Context, look func() (T, bool, error)) (T, error) {
	pause := backoff{next: firstPause, growth: pauseGrowth, most: longPause}
	for {
		if err := sleep(ctx, pause.step()); err != nil {
			var none T
			return none, err
		}
		value, done, err := look()
		if err != nil || done {
			return value, err
		}
	}
}

// object is what waiting needs to know of one kind of object.
type object[T any] struct {
	// noun names the object in errors.
	noun      string
	get       func() (*T, error)
	status    func(*T) string
	transient func(*T) bool
}

// settle returns the object once it is in no transient state. It starts from
// known, which may be nil, and asks only if it has to.
func (o object[T]) settle(ctx context.Context, known *T) (*T, error) {
	if known == nil {
		var err error
		if known, err = o.get(); err != nil {
			return nil, err
		}
	}
	if !o.transient(known) {
		return known, nil
	}
	last := known
	settled, err := poll(ctx, func() (*T, bool, error) {
		current, err := o.get()
		if err != nil {
			return nil, false, err
		}
		last = current
		return current, !o.transient(current), nil
	})
	if err != nil {
		return nil, o.tooLate(ctx, last, err)
	}
	return settled, nil
}

// vanish returns once the object is no more.
func (o object[T]) vanish(ctx context.Context, known *T) error {
	last := known
	_, err := poll(ctx, func() (*T, bool, error) {
		current, err := o.get()
		if IsNotFound(err) {
			return nil, true, nil
		}
		if err == nil {
			last = current
		}
		return current, false, err
	})
	return o.tooLate(ctx, last, err)
}

// tooLate adds to the error of a context that ended what was waited for.
func (o object[T]) tooLate(ctx context.Context, last *T, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("the %s is still in status %q: %w", o.noun, o.status(last), ctx.Err())
}
