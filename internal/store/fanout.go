package store

import "sync/atomic"

// A Fanout passes each change to several followers, in the order in which they
// were given to NewFanout.
type Fanout struct {
	followers []Follower
	applied   atomic.Int64
}

// NewFanout returns a fan-out to the followers. Followers that decide on the
// admission of calls come first, so that a revocation does not wait for the rest.
func NewFanout(followers ...Follower) *Fanout { return &Fanout{followers: followers} }

// Apply implements Follower.
func (f *Fanout) Apply(change Change) {
	for _, follower := range f.followers {
		follower.Apply(change)
	}
	f.applied.Store(max(change.Number, f.applied.Load()))
}

// Reload implements Follower. All views are complete before the first is swapped.
func (f *Fanout) Reload(at Position) Loader {
	loaders := make([]Loader, len(f.followers))
	for i, follower := range f.followers {
		loaders[i] = follower.Reload(at)
	}
	return Loader{
		Add: func(o Object) {
			for _, loader := range loaders {
				loader.Add(o)
			}
		},
		Swap: func() {
			for _, loader := range loaders {
				loader.Swap()
			}
			f.applied.Store(at.Number)
		},
	}
}

// Applied returns the number of the last change that all followers have applied.
// It never blocks.
func (f *Fanout) Applied() int64 { return f.applied.Load() }
