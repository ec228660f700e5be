package sandbox

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// A Host makes sandboxes of one level on this machine.
type Host struct {
	level   Level
	cgroups *cgroupParent
	disks   *disks
	ids     ids
	serial  atomic.Int64
	prefix  string
}

// Open returns the host of a level. Its name is fit for a file name, and no other
// host's on this machine at this time. It does not prove that the level holds:
// Prove does. Close it when all of its sandboxes have ended.
func Open(level Level, name string) (*Host, error) {
	if level == None {
		return nil, errors.New("a process without isolation is no sandbox")
	}
	h := &Host{level: level, prefix: name}
	if level == User && os.Geteuid() == 0 {
		return nil, errors.New("isolation level user would have instances be root outside of their namespaces: " +
			"choose --isolation=full, or run the server as another user")
	}
	if level != Full {
		return h, nil
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("isolation level full needs root: run the server as root, or choose --isolation=user, where " + User.Lacks())
	}
	var err error
	if h.cgroups, err = openCgroups(name); err != nil {
		return nil, err
	}
	return h, nil
}

// Level returns the level of the host's sandboxes.
func (h *Host) Level() Level { return h.level }

// Prepares tells whether code can be made visible in a sandbox that has started,
// so that sandboxes can be made ahead of need.
func (h *Host) Prepares() bool { return h.level == Full }

// OpenDisks lets sandboxes have disks of a size, in bytes, whose space is taken from
// the file system of a folder as they are filled. It needs level Full, mkfs.ext4 and
// loop devices. Call it before the first Start.
func (h *Host) OpenDisks(dir string, size int64) error {
	if h.level != Full {
		return fmt.Errorf("isolation level %s has no disks: want %s", h.level, Full)
	}
	var err error
	h.disks, err = openDisks(dir, size)
	return err
}

// Close removes what the host's sandboxes had in common.
func (h *Host) Close() error {
	var err error
	if h.disks != nil {
		err = h.disks.close()
	}
	if h.cgroups != nil {
		err = errors.Join(err, h.cgroups.remove())
	}
	return err
}

func (h *Host) newID() string { return fmt.Sprintf("%s-%d", h.prefix, h.serial.Add(1)) }

const (
	// firstID is the first of the machine's user ids that sandboxes have: above
	// those of people, of services, and of the ranges that other tools hand out,
	// systemd's 0x80000 to 0x6fffffff above all. Each server begins elsewhere.
	firstID = 0x7000_0000
	// servers is how many begin elsewhere, and idsServer how many ids each has.
	servers   = 1 << 15
	idsServer = 1 << 13
	// idsEach is how many ids a sandbox has: one for its stage, one for its
	// program.
	idsEach = 2
)

// ids hands out user ids, so that no two sandboxes have the same at once.
type ids struct {
	mu   sync.Mutex
	next int
	free []int
}

func (i *ids) take() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	if n := len(i.free); n > 0 {
		id := i.free[n-1]
		i.free = i.free[:n-1]
		return id
	}
	id := firstID + os.Getpid()%servers*idsServer + i.next%(idsServer/idsEach)*idsEach
	i.next++
	return id
}

func (i *ids) giveBack(id int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.free = append(i.free, id)
}

// Default is the level that the rights of this process are for: the highest that
// it may have.
func Default() (Level, error) {
	if os.Geteuid() == 0 {
		return Full, nil
	}
	return User, nil
}
