package gateway

import (
	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
)

// maxRevoked is the number of revoked tokens that are kept, about one megabyte.
const maxRevoked = 10_000

// revoked contains the most recently revoked tokens, so that the log can name them. It has no
// influence on decisions.
type revoked struct {
	ids map[functions.Digest]uuid.UUID
	// order is a ring of the digests in ids; next is the index of the next one.
	order []functions.Digest
	next  int
}

func newRevoked() revoked { return revoked{ids: map[functions.Digest]uuid.UUID{}} }

// add adds a token. If there are maxRevoked tokens, it replaces the oldest one.
func (r *revoked) add(digest functions.Digest, token uuid.UUID) {
	if len(r.order) < maxRevoked {
		r.order = append(r.order, digest)
	} else {
		delete(r.ids, r.order[r.next])
		r.order[r.next] = digest
	}
	r.next = (r.next + 1) % maxRevoked
	r.ids[digest] = token
}
