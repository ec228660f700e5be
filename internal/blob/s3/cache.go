package s3

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/tree"
)

// A cache has folders of artifacts on this machine. Above its limit it removes the least
// recently used ones, but none in use: the artifacts in use may exceed the limit. All
// methods are safe for concurrent use.
type cache struct {
	// folders has one folder per artifact, named NAME.DIGEST.
	folders *files.Artifacts
	dir     string
	limit   int64
	now     func() time.Time
	// fetch writes an artifact to a folder within the workspace and returns its digest and
	// that folder. It calls makeSpace with the size in bytes first.
	fetch func(ctx context.Context, ref blob.Ref, workspace string, makeSpace func(bytes int64) error) (digest, dir string, err error)

	// ctx ends, and loads are awaited, when the cache is closed.
	ctx    context.Context
	cancel context.CancelFunc
	loads  sync.WaitGroup

	// mu guards the fields below and all fields of entries.
	mu      sync.Mutex
	entries map[blob.Ref]*entry
	closed  bool
}

// An entry is an artifact in the cache, or one that is being loaded.
type entry struct {
	// loaded is closed when the entry can be used, or err is set. It is nil for a folder of
	// an earlier process whose digest must be checked first.
	loaded chan struct{}
	err    error
	// digest and dir are empty while the entry is being fetched.
	digest, dir string
	bytes       int64
	used        time.Time
	// users counts the callers that use the folder or wait for it.
	users   int
	removed bool
}

func openCache(ctx context.Context, dir string, limit int64, now func() time.Time, fetch func(context.Context, blob.Ref, string, func(int64) error) (string, string, error)) (*cache, error) {
	folders, err := files.OpenArtifacts(dir)
	if err != nil {
		return nil, err
	}
	c := &cache{folders: folders, dir: dir, limit: limit, now: now, fetch: fetch, entries: map[blob.Ref]*entry{}}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := c.scan(ctx); err != nil {
		return nil, fmt.Errorf("open the cache of artifacts: %w", err)
	}
	return c, c.shrink(0)
}

// scan finds the folders that an earlier process has left.
func (c *cache) scan(ctx context.Context) error {
	functionIDs, err := c.folders.Functions(ctx)
	if err != nil {
		return err
	}
	for _, functionID := range functionIDs {
		found, err := os.ReadDir(filepath.Join(c.dir, functionID))
		if err != nil {
			return err
		}
		for _, folder := range found {
			if err := c.scanFolder(ctx, functionID, folder); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cache) scanFolder(ctx context.Context, functionID string, folder os.DirEntry) error {
	dir := filepath.Join(c.dir, functionID, folder.Name())
	digest := strings.TrimPrefix(filepath.Ext(folder.Name()), ".")
	ref := blob.Ref{FunctionID: functionID, Name: strings.TrimSuffix(folder.Name(), "."+digest)}
	decoded, err := hex.DecodeString(digest)
	if err != nil || len(decoded) != 32 || !folder.IsDir() || c.entries[ref] != nil {
		return tree.Remove(dir)
	}
	info, err := folder.Info()
	if err != nil {
		return err
	}
	size, err := tree.Measure(ctx, dir, tree.Limits{})
	if err != nil {
		return errors.Join(tree.Remove(dir), ctx.Err()) // It is not an artifact.
	}
	c.entries[ref] = &entry{digest: digest, dir: dir, bytes: size.Bytes, used: info.ModTime()}
	return nil
}

// Close cancels loads and waits for their end.
func (c *cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.cancel()
	c.loads.Wait()
	return nil
}

// acquire returns the folder of an artifact. Concurrent calls load an artifact once. It
// stays in the cache until release is called or the artifact is removed.
func (c *cache) acquire(ctx context.Context, ref blob.Ref) (dir string, release func(), err error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return "", nil, errors.New("the cache of artifacts is closed")
	}
	e := c.entries[ref]
	if e == nil {
		e = &entry{}
		c.entries[ref] = e
	}
	if e.loaded == nil {
		e.loaded = make(chan struct{})
		c.loads.Go(func() { c.load(ref, e) })
	}
	e.users++
	e.used = c.now()
	c.mu.Unlock()
	release = sync.OnceFunc(func() { c.release(e) })
	select {
	case <-e.loaded:
	case <-ctx.Done():
		release()
		return "", nil, context.Cause(ctx)
	}
	c.mu.Lock()
	dir, err = e.dir, e.err
	c.mu.Unlock()
	if err != nil {
		release()
		return "", nil, err
	}
	return dir, release, nil
}

func (c *cache) release(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	e.used = c.now()
}

// load makes an entry usable, or sets its error and removes it.
func (c *cache) load(ref blob.Ref, e *entry) {
	err := c.verify(e)
	if err == nil && e.dir == "" {
		err = c.fill(ref, e)
	}
	c.mu.Lock()
	if err == nil && e.removed {
		err = blob.ErrNotFound
	}
	if e.err = err; err != nil && c.entries[ref] == e {
		delete(c.entries, ref)
	}
	close(e.loaded)
	c.mu.Unlock()
	// If that fails, the cache stays above its limit until the next load.
	_ = c.shrink(0)
}

// verify checks the digest of a folder of an earlier process, which a crash may have left
// incomplete. It removes a folder with another digest. The callers of load use the entry
// after load only, so that its fields need no lock here, except against removal.
func (c *cache) verify(e *entry) error {
	c.mu.Lock()
	dir, digest := e.dir, e.digest
	c.mu.Unlock()
	if dir == "" {
		return nil
	}
	got, err := digestOf(c.ctx, dir)
	if err == nil && got == digest {
		return nil
	}
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	c.mu.Lock()
	trash, err := c.discard(e)
	c.mu.Unlock()
	return errors.Join(err, removeAll([]string{trash}))
}

// fill fetches an artifact.
func (c *cache) fill(ref blob.Ref, e *entry) (err error) {
	workspace, err := c.folders.Workspace(c.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Remove(workspace)) }()
	digest, dir, err := c.fetch(c.ctx, ref, workspace, c.shrink)
	if err != nil {
		return err
	}
	size, err := tree.Measure(c.ctx, dir, tree.Limits{})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.removed {
		return blob.ErrNotFound
	}
	return c.place(e, ref, digest, dir, size.Bytes)
}

// place moves a folder to its place in the cache. The caller holds mu.
func (c *cache) place(e *entry, ref blob.Ref, digest, dir string, bytes int64) error {
	name := ref.Name + "." + digest
	if err := c.folders.Put(c.ctx, blob.Ref{FunctionID: ref.FunctionID, Name: name}, dir); err != nil {
		return err
	}
	e.digest, e.dir, e.bytes = digest, filepath.Join(c.dir, ref.FunctionID, name), bytes
	return nil
}

// add moves a folder with a known digest into the cache. It ignores errors: the folder
// can be fetched.
func (c *cache) add(ctx context.Context, ref blob.Ref, digest, dir string) {
	size, err := tree.Measure(ctx, dir, tree.Limits{})
	if err != nil {
		return
	}
	loaded := make(chan struct{})
	close(loaded)
	e := &entry{loaded: loaded, used: c.now()}
	c.mu.Lock()
	if !c.closed && c.entries[ref] == nil && c.place(e, ref, digest, dir, size.Bytes) == nil {
		c.entries[ref] = e
	}
	c.mu.Unlock()
	_ = c.shrink(0)
}

// of returns the entries of a function.
func (c *cache) of(functionID string) map[blob.Ref]*entry {
	found := map[blob.Ref]*entry{}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ref, e := range c.entries {
		if ref.FunctionID == functionID {
			found[ref] = e
		}
	}
	return found
}

// remove removes entries, also while they are in use.
func (c *cache) remove(entries map[blob.Ref]*entry) error {
	var trash []string
	c.mu.Lock()
	var failed error
	for ref, e := range entries {
		discarded, err := c.discard(e)
		trash, failed = append(trash, discarded), errors.Join(failed, err)
		if e.removed = true; c.entries[ref] == e {
			delete(c.entries, ref)
		}
	}
	c.mu.Unlock()
	return errors.Join(failed, removeAll(trash))
}

// shrink removes unused entries until bytes more fit into the cache.
func (c *cache) shrink(bytes int64) error {
	var trash []string
	c.mu.Lock()
	total := bytes
	for _, e := range c.entries {
		total += e.bytes
	}
	var failed error
	if total > c.limit {
		oldest := slices.SortedFunc(maps.Keys(c.entries), func(x, y blob.Ref) int {
			return cmp.Or(c.entries[x].used.Compare(c.entries[y].used), cmp.Compare(x.Name, y.Name))
		})
		for _, ref := range oldest {
			e := c.entries[ref]
			if total <= c.limit {
				break
			}
			if e.users > 0 || e.dir == "" {
				continue
			}
			bytes := e.bytes
			discarded, err := c.discard(e)
			if trash, failed = append(trash, discarded), errors.Join(failed, err); err == nil {
				total -= bytes
				delete(c.entries, ref)
			}
		}
	}
	c.mu.Unlock()
	return errors.Join(failed, removeAll(trash))
}

// discard moves the folder of an entry out of the cache, and returns the folder that the
// caller removes without mu, or "". The caller holds mu.
func (c *cache) discard(e *entry) (trash string, err error) {
	if e.dir == "" {
		return "", nil
	}
	if trash, err = c.folders.Workspace(c.ctx); err != nil {
		return "", err
	}
	if err := os.Rename(e.dir, filepath.Join(trash, "removed")); err != nil {
		return trash, err
	}
	_ = os.Remove(filepath.Dir(e.dir)) // This fails if the function has other artifacts.
	e.dir, e.bytes = "", 0
	return trash, nil
}

func removeAll(folders []string) error {
	var err error
	for _, dir := range folders {
		if dir != "" {
			err = errors.Join(err, tree.Remove(dir))
		}
	}
	return err
}
