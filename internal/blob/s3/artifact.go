package s3

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/internal/blob"
)

const artifactsFolder = "artifacts"

// Artifacts implements blob.Artifacts. The artifacts that this machine has used are in a
// cache.
type Artifacts struct {
	bucket *Bucket
	cache  *cache
}

var _ blob.Artifacts = (*Artifacts)(nil)

// Artifacts opens the cache of artifacts. Call it once, and Close when no artifact is in
// use.
func (b *Bucket) Artifacts(ctx context.Context) (*Artifacts, error) {
	a := &Artifacts{bucket: b}
	var err error
	a.cache, err = openCache(ctx, filepath.Join(b.config.Dir, artifactsFolder), b.config.CacheSize, b.config.Now, a.fetch)
	return a, err
}

// Close cancels downloads and waits for their end.
func (a *Artifacts) Close() error { return a.cache.Close() }

// Workspace implements blob.Local.
func (a *Artifacts) Workspace(ctx context.Context) (string, error) {
	return a.cache.folders.Workspace(ctx)
}

// SweepWorkspaces removes the workspaces and unfinished downloads of a process that was
// killed. See files.Artifacts.
func (a *Artifacts) SweepWorkspaces(release func(workspace string) error) error {
	return a.cache.folders.SweepWorkspaces(release)
}

// Put implements blob.Artifacts.
func (a *Artifacts) Put(ctx context.Context, ref blob.Ref, dir string) error {
	if err := checkNames(ref.FunctionID, ref.Name); err != nil {
		return err
	}
	packed, err := a.bucket.pack(ctx, dir)
	if err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	defer packed.Close()
	if err := a.bucket.put(ctx, a.bucket.key(artifactsFolder, ref.FunctionID, ref.Name, packed.digest), packed.File, packed.size); err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	a.cache.add(ctx, ref, packed.digest, dir)
	return nil
}

// Local implements blob.Local. It returns a folder of the cache, which it fills first if
// necessary.
func (a *Artifacts) Local(ctx context.Context, ref blob.Ref) (dir string, release func(), err error) {
	if err := checkNames(ref.FunctionID, ref.Name); err != nil {
		return "", nil, err
	}
	dir, release, err = a.cache.acquire(ctx, ref)
	if err != nil {
		return "", nil, fmt.Errorf("find artifact %q: %w", ref.Name, err)
	}
	return dir, release, nil
}

// fetch implements fetch of a cache.
func (a *Artifacts) fetch(ctx context.Context, ref blob.Ref, workspace string, makeSpace func(bytes int64) error) (digest, dir string, err error) {
	found, err := a.find(ctx, ref)
	if err != nil {
		return "", "", err
	}
	if err := makeSpace(found.size); err != nil {
		return "", "", err
	}
	dir, err = a.bucket.unpack(ctx, found, workspace)
	return found.parts[0], dir, err
}

func (a *Artifacts) find(ctx context.Context, ref blob.Ref) (object, error) {
	found, err := a.bucket.list(ctx, 1, artifactsFolder, ref.FunctionID, ref.Name)
	if err != nil {
		return object{}, err
	}
	if len(found) == 0 {
		return object{}, blob.ErrNotFound
	}
	return found[0], nil
}

// Has implements blob.Artifacts.
func (a *Artifacts) Has(ctx context.Context, ref blob.Ref) (bool, error) {
	if err := checkNames(ref.FunctionID, ref.Name); err != nil {
		return false, err
	}
	_, err := a.find(ctx, ref)
	if errors.Is(err, blob.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Keep implements blob.Artifacts. It looks for artifacts before it calls needed, so that
// it does not remove those that are stored meanwhile.
func (a *Artifacts) Keep(ctx context.Context, functionID string, needed func() ([]string, error)) error {
	if err := checkNames(functionID); err != nil {
		return err
	}
	cached := a.cache.of(functionID)
	stored, err := a.bucket.list(ctx, 2, artifactsFolder, functionID)
	if err != nil {
		return err
	}
	names, err := needed()
	if err != nil {
		return err
	}
	err = a.bucket.discard(ctx, functionID, slices.DeleteFunc(stored, func(o object) bool { return slices.Contains(names, o.parts[0]) }))
	for _, name := range names {
		delete(cached, blob.Ref{FunctionID: functionID, Name: name})
	}
	return errors.Join(err, a.cache.remove(cached))
}

// Delete implements blob.Artifacts.
func (a *Artifacts) Delete(ctx context.Context, functionID string) error {
	return a.Keep(ctx, functionID, func() ([]string, error) { return nil, nil })
}

// Functions implements blob.Artifacts.
func (a *Artifacts) Functions(ctx context.Context) ([]string, error) {
	return a.bucket.folders(ctx, artifactsFolder)
}
