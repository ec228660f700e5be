package gateway

import (
	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
)

// rememberedRevoked is how many of the tokens that were revoked last are known by
// their IDs: a megabyte of them.
const rememberedRevoked = 10_000

// revoked remembers tokens that were revoked, for the log alone: a caller who
// presents one is refused as one with any other text.
type revoked struct {
	ids map[functions.Digest]uuid.UUID
	// order has the digests in a ring; next is the place of the next one.
	order []functions.Digest
	next  int
}

func newRevoked() revoked { return revoked{ids: map[functions.Digest]uuid.UUID{}} }

// add remembers a token, in place of the one that was revoked longest ago if there
// are many.
func (r *revoked) add(digest functions.Digest, token uuid.UUID) {
	if len(r.order) < rememberedRevoked {
		r.order = append(r.order, digest)
	} else {
		delete(r.ids, r.order[r.next])
		r.order[r.next] = digest
	}
	r.next = (r.next + 1) % rememberedRevoked
	r.ids[digest] = token
}
