package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/tree"
)

const (
	buildsFolder = "builds"
	// buildOutput and buildNotes are the parts of a packed build.
	buildOutput = "output"
	buildNotes  = "notes"
)

// BuildCache implements blob.BuildCache. A cache on this machine has the builds that it
// has used; the bucket has those of all machines. Above the limit, the builds in the
// bucket that were stored first are removed first.
type BuildCache struct {
	bucket *Bucket
	local  *files.BuildCache
}

var _ blob.BuildCache = (*BuildCache)(nil)

// BuildCache opens the build cache. Call it once.
func (b *Bucket) BuildCache() (*BuildCache, error) {
	local, err := files.OpenBuildCache(filepath.Join(b.config.Dir, buildsFolder), b.config.BuildCache, b.config.Now)
	if err != nil {
		return nil, err
	}
	return &BuildCache{bucket: b, local: local}, nil
}

// Get implements blob.BuildCache.
func (c *BuildCache) Get(ctx context.Context, name, into string) (notes []byte, err error) {
	notes, err = c.local.Get(ctx, name, into)
	if !errors.Is(err, blob.ErrNotFound) {
		return notes, err
	}
	notes, err = c.fetch(ctx, name, into)
	if err != nil {
		return nil, fmt.Errorf("get build %s: %w", name, err)
	}
	return notes, nil
}

func (c *BuildCache) fetch(ctx context.Context, name, into string) (notes []byte, err error) {
	found, err := c.bucket.list(ctx, 1, buildsFolder, name)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, blob.ErrNotFound
	}
	dir, err := c.temporary()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Remove(dir)) }()
	content, err := c.bucket.unpack(ctx, found[0], dir)
	if errors.Is(err, errDamaged) {
		// Otherwise Put would never replace it.
		return nil, errors.Join(err, c.bucket.remove(ctx, found[:1]))
	}
	if err != nil {
		return nil, err
	}
	if notes, err = readNotes(filepath.Join(content, buildNotes)); err != nil {
		return nil, err
	}
	output := filepath.Join(content, buildOutput)
	if err := c.local.Put(ctx, name, output, notes); err != nil {
		return nil, err
	}
	return notes, tree.Copy(ctx, output, into, tree.Options{Link: true})
}

// temporary creates a folder on the file system of the local cache.
func (c *BuildCache) temporary() (string, error) {
	return os.MkdirTemp(c.bucket.transfers, "build-*")
}

func readNotes(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxNotes))
}

// Put implements blob.BuildCache.
func (c *BuildCache) Put(ctx context.Context, name, dir string, notes []byte) error {
	if err := checkNames(name); err != nil {
		return err
	}
	if err := c.put(ctx, name, dir, notes); err != nil {
		return fmt.Errorf("put build %s: %w", name, err)
	}
	return nil
}

func (c *BuildCache) put(ctx context.Context, name, dir string, notes []byte) (err error) {
	used, err := tree.Measure(ctx, dir, tree.Limits{})
	if err != nil || used.Bytes > c.bucket.config.BuildCache || len(notes) > maxNotes {
		return err
	}
	found, err := c.bucket.list(ctx, 1, buildsFolder, name)
	if err != nil || len(found) > 0 {
		return err
	}
	temporary, err := c.temporary()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Remove(temporary)) }()
	err = errors.Join(
		tree.Copy(ctx, dir, filepath.Join(temporary, buildOutput), tree.Options{Link: true}),
		os.WriteFile(filepath.Join(temporary, buildNotes), notes, 0o600),
	)
	if err != nil {
		return err
	}
	packed, err := c.bucket.pack(ctx, temporary)
	if err != nil {
		return err
	}
	defer packed.Close()
	if err := c.bucket.put(ctx, c.bucket.key(buildsFolder, name, packed.digest), packed.File, packed.size); err != nil {
		return err
	}
	return errors.Join(c.local.Put(ctx, name, dir, notes), c.shrink(ctx))
}

// shrink removes the builds that were stored first until the rest is within the limit.
func (c *BuildCache) shrink(ctx context.Context) error {
	found, err := c.bucket.list(ctx, 2, buildsFolder)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(x, y object) int {
		return cmp.Or(y.modified.Compare(x.modified), cmp.Compare(x.key, y.key))
	})
	var total int64
	for i, o := range found {
		if total += o.size; total > c.bucket.config.BuildCache {
			return c.bucket.remove(ctx, found[i:])
		}
	}
	return nil
}
