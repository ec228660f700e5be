package gateway

import (
	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/usage"
)

// uses contains a slot for each token with its last use. Slots do not move, so that recording a
// use needs no exclusive lock. They are allocated in blocks, so that a million slots are few
// objects for the garbage collector.
type uses struct {
	blocks []*[blockSize]slot
	// free are the numbers of released slots.
	free []uint32
	// allocated is the number of slots that were acquired at least once.
	allocated uint32
}

const blockSize = 4096

type slot struct {
	token uuid.UUID
	used  usage.Stamp
}

// acquire returns the number of a slot for a token.
func (u *uses) acquire(token uuid.UUID) uint32 {
	number := u.allocated
	if last := len(u.free) - 1; last >= 0 {
		number, u.free = u.free[last], u.free[:last]
	} else {
		u.allocated++
		if int(number/blockSize) == len(u.blocks) {
			u.blocks = append(u.blocks, new([blockSize]slot))
		}
	}
	u.at(number).token = token
	return number
}

// release frees the slot of a deleted token.
func (u *uses) release(number uint32) {
	*u.at(number) = slot{}
	u.free = append(u.free, number)
}

func (u *uses) at(number uint32) *slot { return &u.blocks[number/blockSize][number%blockSize] }

// Uses returns the tokens with which calls were admitted since the previous call of Uses, and
// the times of their last use. It locks the table for one block at a time, so that calls and
// revocations do not wait long.
func (t *Table) Uses() []usage.Use {
	var all []usage.Use
	for i, more := 0, true; more; i++ {
		all, more = t.usesOf(all, i)
	}
	return all
}

// usesOf appends the uses in one block, and reports whether the block exists.
func (t *Table) usesOf(all []usage.Use, block int) ([]usage.Use, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if block >= len(t.uses.blocks) {
		return all, false
	}
	for i := range t.uses.blocks[block] {
		s := &t.uses.blocks[block][i]
		if at, used := s.used.Take(); used {
			all = append(all, usage.Use{ID: s.token.String(), At: at})
		}
	}
	return all, true
}
