package gateway

import (
	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/usage"
)

// uses has a place for each token, where its last use is noted. Places never
// move, so that noting a use takes no lock that others wait for; they come in
// blocks, so that a million of them are few objects for the garbage collector.
type uses struct {
	blocks []*[blockSize]place
	// free are the places of tokens that are gone.
	free []uint32
	// taken is how many places have ever been taken.
	taken uint32
}

const blockSize = 4096

type place struct {
	token uuid.UUID
	used  usage.Stamp
}

// take gives a token a place.
func (u *uses) take(token uuid.UUID) uint32 {
	number := u.taken
	if last := len(u.free) - 1; last >= 0 {
		number, u.free = u.free[last], u.free[:last]
	} else {
		u.taken++
		if int(number/blockSize) == len(u.blocks) {
			u.blocks = append(u.blocks, new([blockSize]place))
		}
	}
	u.at(number).token = token
	return number
}

// release takes the place of a token that is gone.
func (u *uses) release(number uint32) {
	*u.at(number) = place{}
	u.free = append(u.free, number)
}

func (u *uses) at(number uint32) *place { return &u.blocks[number/blockSize][number%blockSize] }

// Uses returns which tokens have let somebody in since it was called last, and
// when. It looks at one block at a time, so that neither calls nor revocations
// wait for long.
func (t *Table) Uses() []usage.Use {
	var all []usage.Use
	for i, more := 0, true; more; i++ {
		all, more = t.usesOf(all, i)
	}
	return all
}

// usesOf adds those of one block, and tells whether there is that block.
func (t *Table) usesOf(all []usage.Use, block int) ([]usage.Use, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if block >= len(t.uses.blocks) {
		return all, false
	}
	for i := range t.uses.blocks[block] {
		p := &t.uses.blocks[block][i]
		if at, used := p.used.Take(); used {
			all = append(all, usage.Use{ID: p.token.String(), At: at})
		}
	}
	return all, true
}
