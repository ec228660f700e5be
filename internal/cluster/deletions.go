package cluster

import (
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
)

// maxDeletions is the maximum number of remembered deletions.
const maxDeletions = 100_000

// deletions are the tokens and API keys that this node knows to be deleted. A database
// that went back in time may have them again: they are then deleted again.
type deletions struct {
	ids map[string]bool
	// order has the IDs, the oldest at next once it is full.
	order []string
	next  int
	// reappeared are objects that a snapshot had again.
	reappeared []store.Object
}

func newDeletions() *deletions { return &deletions{ids: map[string]bool{}} }

// credential returns whether an object admits calls or requests.
func credential(o store.Object) bool {
	switch o.(type) {
	case functions.Token, iam.APIKey:
		return true
	}
	return false
}

// apply remembers the deletion of a credential.
func (d *deletions) apply(c store.Change) {
	id := ""
	if c.Deleted && credential(c.Object) {
		id = c.Object.ObjectID()
	}
	if id == "" || d.ids[id] {
		return
	}
	if len(d.order) < maxDeletions {
		d.order = append(d.order, id)
	} else {
		delete(d.ids, d.order[d.next])
		d.order[d.next] = id
		d.next = (d.next + 1) % maxDeletions
	}
	d.ids[id] = true
}

// A reappearance collects the credentials of a snapshot that are known to be deleted.
type reappearance struct {
	known   *deletions
	objects []store.Object
}

// reload begins a snapshot. No change is applied until loaded is called.
func (d *deletions) reload() *reappearance { return &reappearance{known: d} }

func (r *reappearance) add(o store.Object) {
	if credential(o) && r.known.ids[o.ObjectID()] {
		r.objects = append(r.objects, o)
	}
}

// loaded ends a snapshot.
func (d *deletions) loaded(r *reappearance) { d.reappeared = r.objects }
