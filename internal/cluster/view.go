package cluster

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jeton-dev/jeton/internal/store"
)

// historySize is the number of latest changes whose uids are remembered, to compare them
// with those of other nodes.
const historySize = 8192

// A view is what this node has applied: the members, its position, and the uids of the
// latest changes. It is the last follower of a store, so that a change that it has applied
// was applied by all others.
type view struct {
	// current is the membership. Calls read it without a lock.
	current atomic.Pointer[membership]

	mu sync.Mutex
	at store.Position
	// uids are those of the changes at.Number-len(uids)+1 to at.Number, in a ring.
	uids  [historySize]string
	known int64
	// advanced is closed and replaced whenever at changes.
	advanced chan struct{}
	// changed is called after the members have changed, and rewound after a snapshot was
	// loaded.
	changed, rewound func()
	deleted          *deletions
}

// A membership is the members after one change. It never changes.
type membership struct {
	members map[string]store.Member
	// candidates is made of members.
	candidates []candidate
	// number is that of the last change of a member.
	number int64
}

func newView() *view {
	v := &view{advanced: make(chan struct{}), changed: func() {}, rewound: func() {}, deleted: newDeletions()}
	v.current.Store(new(membership))
	return v
}

// Apply implements store.Follower.
func (v *view) Apply(change store.Change) {
	member, isMember := change.Object.(store.Member)
	v.mu.Lock()
	if isMember {
		members := map[string]store.Member{}
		maps.Copy(members, v.current.Load().members)
		if change.Deleted {
			delete(members, member.Incarnation)
		} else {
			members[member.Incarnation] = member
		}
		v.setMembers(members, change.Number)
	}
	v.deleted.apply(change)
	v.advance(change.Position(), v.known+1)
	v.mu.Unlock()
	if isMember {
		v.changed()
	}
}

// Reload implements store.Follower.
func (v *view) Reload(at store.Position) store.Loader {
	members := map[string]store.Member{}
	reappeared := v.deleted.reload()
	return store.Loader{
		Add: func(o store.Object) {
			if m, ok := o.(store.Member); ok {
				members[m.Incarnation] = m
			}
			reappeared.add(o)
		},
		Swap: func() {
			// An answer that waits sees the new position without acknowledgements of another
			// history: those from before, and those that come meanwhile.
			v.rewound()
			v.mu.Lock()
			v.setMembers(members, at.Number)
			v.deleted.loaded(reappeared)
			v.advance(at, 1)
			v.mu.Unlock()
			v.rewound()
			v.changed()
		},
	}
}

// setMembers is called with mu held.
func (v *view) setMembers(members map[string]store.Member, number int64) {
	v.current.Store(&membership{members, candidates(slices.Collect(maps.Values(members))), number})
}

// advance sets the position. known is the number of changes whose uids are remembered. It
// is called with mu held.
func (v *view) advance(at store.Position, known int64) {
	v.at, v.known = at, min(known, historySize)
	v.uids[at.Number%historySize] = at.UID
	close(v.advanced)
	v.advanced = make(chan struct{})
}

// position returns the last change that was applied, and a channel that is closed when
// another one is.
func (v *view) position() (store.Position, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.at, v.advanced
}

// A relation is how a position compares with what was applied.
type relation int

const (
	// ahead means that the change was not applied yet.
	ahead relation = iota
	// applied means that it was.
	applied
	// diverged means that another change with the same number was applied.
	diverged
	// unknown means that a change with the number was applied whose uid is not remembered.
	unknown
)

// compare compares a position with what was applied.
func (v *view) compare(p store.Position) relation {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case p.Number > v.at.Number:
		return ahead
	case p.UID == "":
		return applied
	case p.Number <= v.at.Number-v.known:
		return unknown
	case v.uids[p.Number%historySize] != p.UID:
		return diverged
	}
	return applied
}

// uidOf returns the uid of a change that was applied, "" if it is not remembered.
func (v *view) uidOf(number int64) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if number > v.at.Number || number <= v.at.Number-v.known {
		return ""
	}
	return v.uids[number%historySize]
}

// all returns the members in the order in which they joined, and the number of the last
// change of a member.
func (v *view) all() ([]store.Member, int64) {
	current := v.current.Load()
	members := slices.Collect(maps.Values(current.members))
	slices.SortFunc(members, func(a, b store.Member) int { return a.JoinedAt.Compare(b.JoinedAt) })
	return members, current.number
}

// choose returns the member for a key.
func (v *view) choose(key string) (store.Member, bool) {
	return choose(v.current.Load().candidates, key)
}

// member returns the member with an incarnation, or the zero Member.
func (v *view) member(incarnation string) store.Member {
	return v.current.Load().members[incarnation]
}

// takeReappeared returns credentials that are known to be deleted, and that the last
// snapshot had again.
func (v *view) takeReappeared() []store.Object {
	v.mu.Lock()
	defer v.mu.Unlock()
	taken := v.deleted.reappeared
	v.deleted.reappeared = nil
	return taken
}

// returnReappeared undoes takeReappeared, unless there is a newer snapshot.
func (v *view) returnReappeared(taken []store.Object) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.deleted.reappeared == nil {
		v.deleted.reappeared = taken
	}
}
