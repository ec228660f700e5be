package usage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Kind is the kind of an object that is used.
type Kind string

// The kinds.
const (
	APIKeys Kind = "api_keys"
	Tokens  Kind = "tokens"
)

// A Use is the last use of an object.
type Use struct {
	ID string
	At time.Time
}

// Store stores the last uses.
type Store interface {
	// NoteUses stores uses. It drops uses of objects that do not exist.
	NoteUses(ctx context.Context, kind Kind, uses []Use) error
}

// A Source returns the uses since its last call.
type Source func() []Use

// RecorderConfig has the dependencies of a Recorder. All fields are required.
type RecorderConfig struct {
	Sources map[Kind]Source
	Store   Store
	Log     *slog.Logger
}

// Recorder stores uses. It is safe for concurrent use.
type Recorder struct {
	config RecorderConfig

	mu sync.Mutex
}

// NewRecorder returns a Recorder. Returns an error if a required field is missing.
func NewRecorder(c RecorderConfig) (*Recorder, error) {
	if len(c.Sources) == 0 || c.Store == nil || c.Log == nil {
		return nil, errors.New("configure recorder of uses: Sources, Store and Log are required")
	}
	return &Recorder{config: c}, nil
}

// interval is the time between two writes to the store.
const interval = time.Minute

// Run stores uses periodically until ctx ends, and then once more. It returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(interval)
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

// Flush stores all uses since the last call. It logs errors. Uses that cannot be stored
// are lost, which is acceptable because no decision depends on them.
func (r *Recorder) Flush(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for kind, source := range r.config.Sources {
		uses := source()
		if len(uses) == 0 {
			continue
		}
		if err := r.config.Store.NoteUses(ctx, kind, uses); err != nil {
			r.config.Log.WarnContext(ctx, "last uses could not be stored", "kind", kind, "count", len(uses), "error", err)
		}
	}
}
