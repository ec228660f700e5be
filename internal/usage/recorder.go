package usage

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Kind is what kind of thing was used.
type Kind string

// The kinds.
const (
	APIKeys Kind = "api_keys"
	Tokens  Kind = "tokens"
)

// A Use says when something was used last.
type Use struct {
	ID string
	At time.Time
}

// Store keeps the last uses.
type Store interface {
	// NoteUses keeps uses of things that are still there.
	NoteUses(ctx context.Context, kind Kind, uses []Use) error
}

// A Source returns what was used since it was asked last.
type Source func() []Use

// Recorder writes down what was used. All fields but mu must be set.
type Recorder struct {
	Sources map[Kind]Source
	Store   Store
	Log     *slog.Logger

	mu sync.Mutex
}

// every is how often what was used is written down.
const every = time.Minute

// Run writes down what was used until ctx ends, and then once more.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.Flush(ctx)
		case <-ctx.Done():
			r.Flush(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// Flush writes down what was used. What cannot be written is lost: nothing is
// decided by it, and the next use will be written.
func (r *Recorder) Flush(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, source := range r.Sources {
		uses := source()
		if len(uses) == 0 {
			continue
		}
		if err := r.Store.NoteUses(ctx, kind, uses); err != nil {
			r.Log.WarnContext(ctx, "last uses were not written down", "of", kind, "count", len(uses), "error", err)
		}
	}
}
