package live

import "time"

// A Revocation is the deletion of a token, and its effect since then.
type Revocation struct {
	TokenID, ProjectID string
	// At is when this server denied the token, and Took the time since the deletion
	// was committed.
	At   time.Time
	Took time.Duration
	// Refused is the number of calls with the token that were refused since then, and
	// LastRefused the time of the last one.
	Refused     int64
	LastRefused time.Time

	published time.Time
}

// keptRevocations is the number of revocations that are kept.
const keptRevocations = 10_000

// refusalPause is the minimum time between two events for refused calls with one token.
const refusalPause = 250 * time.Millisecond

// revocations are the latest revocations, by token ID.
type revocations struct {
	byToken map[string]*Revocation
	// order is a ring of token IDs; next is the index of the oldest one.
	order []string
	next  int
}

func newRevocations() revocations { return revocations{byToken: map[string]*Revocation{}} }

func (r *revocations) add(revocation Revocation) {
	if len(r.order) < keptRevocations {
		r.order = append(r.order, revocation.TokenID)
	} else {
		delete(r.byToken, r.order[r.next])
		r.order[r.next] = revocation.TokenID
		r.next = (r.next + 1) % keptRevocations
	}
	r.byToken[revocation.TokenID] = &revocation
}

// Revocation returns the revocation of a token, and whether it is known. Only the latest
// revocations since the start of the server are.
func (v *View) Revocation(tokenID string) (Revocation, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	r := v.revocations.byToken[tokenID]
	if r == nil {
		return Revocation{}, false
	}
	return *r, true
}

// Refused counts a call that was refused because its token was revoked.
func (v *View) Refused(tokenID string, at time.Time) {
	v.mu.Lock()
	r := v.revocations.byToken[tokenID]
	if r == nil {
		v.mu.Unlock()
		return
	}
	r.Refused++
	r.LastRefused = at
	projectID, publish := r.ProjectID, at.Sub(r.published) >= refusalPause
	if publish {
		r.published = at
	}
	v.mu.Unlock()
	if publish {
		v.hub.publish(Event{Kind: "revocation", ID: tokenID, ProjectID: projectID})
	}
}
