package kubernetes

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
)

// receivedPrefix begins the names of folders in a cache that a Pod fills.
const receivedPrefix = "received-"

// caches serializes the use of the caches of builds, each of which is a folder of this machine. The
// builds of one project may run at once; each Pod has a copy of its own.
type caches struct {
	seed  maphash.Seed
	locks [32]sync.RWMutex
}

func newCaches() *caches { return &caches{seed: maphash.MakeSeed()} }

func (c *caches) lock(dir string) *sync.RWMutex {
	return &c.locks[maphash.String(c.seed, dir)%uint64(len(c.locks))]
}

// send writes a cache to w.
func (c *caches) send(ctx context.Context, dir string, w io.Writer) error {
	lock := c.lock(dir)
	lock.RLock()
	defer lock.RUnlock()
	return parcel.PackSome(ctx, dir, w, func(name string, entry fs.DirEntry) (bool, error) {
		if strings.HasPrefix(name, receivedPrefix) {
			return false, fs.SkipDir
		}
		return true, nil
	})
}

// receive returns a folder for what a Pod adds to a cache.
func (c *caches) receive(dir string) (string, error) { return os.MkdirTemp(dir, receivedPrefix) }

// keep adds what a Pod has sent to its cache.
func (c *caches) keep(ctx context.Context, dir, received string) error {
	lock := c.lock(dir)
	lock.Lock()
	defer lock.Unlock()
	if err := parcel.Merge(ctx, dir, filepath.Base(received)); err != nil {
		return fmt.Errorf("keep the cache of a build: %w", err)
	}
	return nil
}
