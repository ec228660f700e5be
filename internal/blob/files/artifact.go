package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/tree"
)

// workspaces matches the names of the folders that Workspace creates.
const workspaces = "build-*"

// Artifacts implements blob.Artifacts with one folder per function and, in it, one
// folder per artifact.
type Artifacts struct {
	dir  string
	root *os.Root
	// mu makes Put exclude "read what is needed and remove the rest".
	mu sync.Mutex
}

var _ blob.Artifacts = (*Artifacts)(nil)

// OpenArtifacts opens the artifacts below dir, which it creates.
func OpenArtifacts(dir string) (*Artifacts, error) {
	root, err := openRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open artifacts: %w", err)
	}
	return &Artifacts{dir: dir, root: root}, nil
}

// Workspace implements blob.Local. The folder is on the file system of the
// artifacts, so that Put can rename it.
func (a *Artifacts) Workspace(context.Context) (string, error) {
	return os.MkdirTemp(a.dir, workspaces)
}

// SweepWorkspaces removes the workspaces that a process which was killed has left.
// It calls release for each of them first, and leaves those for which release
// fails. No build may be running.
func (a *Artifacts) SweepWorkspaces(release func(workspace string) error) error {
	found, err := filepath.Glob(filepath.Join(a.dir, workspaces))
	for _, path := range found {
		if released := release(path); released != nil {
			err = errors.Join(err, released)
			continue
		}
		err = errors.Join(err, tree.Remove(path))
	}
	return err
}

// Put implements blob.Artifacts. The files are on the disk before the artifact has its
// name, so that no artifact is incomplete after a crash of the machine.
func (a *Artifacts) Put(ctx context.Context, ref blob.Ref, dir string) error {
	if err := check(ref.FunctionID, ref.Name); err != nil {
		return err
	}
	if err := tree.Sync(ctx, dir); err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.root.MkdirAll(ref.FunctionID, 0o700); err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	// A folder cannot be written by renameio.
	if err := os.Rename(dir, a.path(ref)); err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	if err := syncDir(a.root, ref.FunctionID); err != nil {
		return fmt.Errorf("store artifact: %w", err)
	}
	return nil
}

func (a *Artifacts) path(ref blob.Ref) string { return filepath.Join(a.dir, ref.FunctionID, ref.Name) }

// Local implements blob.Local. Only the removal of the artifact removes the folder.
func (a *Artifacts) Local(ctx context.Context, ref blob.Ref) (dir string, release func(), err error) {
	has, err := a.Has(ctx, ref)
	if err == nil && !has {
		err = blob.ErrNotFound
	}
	if err != nil {
		return "", nil, fmt.Errorf("find artifact %q: %w", ref.Name, err)
	}
	return a.path(ref), func() {}, nil
}

// Has implements blob.Artifacts.
func (a *Artifacts) Has(_ context.Context, ref blob.Ref) (bool, error) {
	if err := check(ref.FunctionID, ref.Name); err != nil {
		return false, err
	}
	info, err := a.root.Lstat(path.Join(ref.FunctionID, ref.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}

// Keep implements blob.Artifacts.
func (a *Artifacts) Keep(_ context.Context, functionID string, needed func() ([]string, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	names, err := needed()
	if err != nil {
		return err
	}
	return keepOnly(a.root, functionID, "", names)
}

// Delete implements blob.Artifacts.
func (a *Artifacts) Delete(_ context.Context, functionID string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return keepOnly(a.root, functionID, "", nil)
}

// Functions implements blob.Artifacts.
func (a *Artifacts) Functions(context.Context) ([]string, error) { return folders(a.root, workspaces) }
