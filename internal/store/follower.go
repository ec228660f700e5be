package store

import "github.com/jeton-dev/jeton/internal/iam"

// A Follower keeps a view of the objects. Its methods are never called
// concurrently.
type Follower interface {
	// Apply applies one change. When it returns, the view no longer shows the
	// state before the change.
	Apply(change Change)
	// Reload starts a new, empty view that becomes the state at the position. The
	// old view stays in use until Loader.Swap.
	Reload(at Position) Loader
}

// A Loader builds a view from a snapshot. Because the new view replaces the old
// one as a whole, an object that was deleted between the two is gone from it.
type Loader struct {
	// Add adds one object of the snapshot. An object comes after the objects that
	// it refers to.
	Add func(Object)
	// Swap puts the new view in the place of the old one. It is not called if the
	// snapshot cannot be read to its end.
	Swap func()
}

// A Hook is a Follower without a view. Either function may be nil.
type Hook struct {
	// OnChange is called with each change, OnReload after each reload.
	OnChange func(Change)
	OnReload func()
}

// Apply implements Follower.
func (h Hook) Apply(change Change) {
	if h.OnChange != nil {
		h.OnChange(change)
	}
}

// Reload implements Follower.
func (h Hook) Reload(Position) Loader {
	return Loader{Add: func(Object) {}, Swap: func() {
		if h.OnReload != nil {
			h.OnReload()
		}
	}}
}

// Directory returns a follower that keeps the directory up to date.
func Directory(d *iam.Directory) Follower { return directory{d} }

type directory struct{ directory *iam.Directory }

func (d directory) Apply(change Change) { d.directory.Apply(change.Object, change.Deleted) }

func (d directory) Reload(Position) Loader {
	add, swap := d.directory.Reload()
	return Loader{Add: func(o Object) { add(o) }, Swap: swap}
}
