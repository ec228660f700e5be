package sandbox

import (
	"os"
	"sync"
)

const (
	// firstID is the first user id of sandboxes. It is above the ids of people and
	// services, and above the ranges of other tools, such as systemd's 0x80000 to
	// 0x6fffffff. Each server starts at an offset that follows from its process id.
	firstID = 0x7000_0000
	// serverOffsets is the number of different offsets, and idsPerServer the number of
	// ids between two of them.
	serverOffsets = 1 << 15
	idsPerServer  = 1 << 13
	// idsPerSandbox is the number of ids of a sandbox: one for its launcher and one for
	// its program.
	idsPerSandbox = 2
)

// ids allocates user ids. Two sandboxes never have the same id at the same time.
type ids struct {
	mu   sync.Mutex
	next int
	free []int
}

func (i *ids) acquire() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n := len(i.free); n > 0 {
		id := i.free[n-1]
		i.free = i.free[:n-1]
		return id
	}
	id := firstID + os.Getpid()%serverOffsets*idsPerServer + i.next%(idsPerServer/idsPerSandbox)*idsPerSandbox
	i.next++
	return id
}

func (i *ids) release(id int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.free = append(i.free, id)
}
