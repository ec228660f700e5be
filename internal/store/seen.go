package store

import (
	"context"
	"sync/atomic"
)

// Seen is the newest state that a request has read or written. It is safe for concurrent
// use.
type Seen struct{ number atomic.Int64 }

// Number returns the number of the last change of the newest state, 0 if the request has
// used no transaction.
func (s *Seen) Number() int64 { return s.number.Load() }

type seenKey struct{}

// WithSeen returns a context in which every transaction is noted in the returned Seen.
func WithSeen(ctx context.Context) (context.Context, *Seen) {
	s := &Seen{}
	return context.WithValue(ctx, seenKey{}, s), s
}

// Tracked reports whether transactions with the context are noted.
func Tracked(ctx context.Context) bool { return ctx.Value(seenKey{}) != nil }

// NoteSeen notes that a transaction with the context has shown the state after the change
// with a number. Implementations of Store call it.
func NoteSeen(ctx context.Context, number int64) {
	s, ok := ctx.Value(seenKey{}).(*Seen)
	if !ok {
		return
	}
	for known := s.number.Load(); number > known; known = s.number.Load() {
		if s.number.CompareAndSwap(known, number) {
			return
		}
	}
}
