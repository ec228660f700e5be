package blob

import (
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/tree"
)

// Artifacts keeps what was built, one folder an artifact, below a folder of
// the function's own.
type Artifacts struct {
	dir  string
	root *os.Root
}

// NewArtifacts returns the artifacts below dir, which it makes.
func NewArtifacts(dir string) (*Artifacts, error) {
	root, err := openRoot(dir)
	return &Artifacts{dir: dir, root: root}, err
}

// unfinishedArtifact matches the names of the folders that builds work in.
const unfinishedArtifact = "build-*"

// Workspace makes an empty folder for one build, on the same file system as
// the artifacts.
func (a *Artifacts) Workspace() (string, error) { return os.MkdirTemp(a.dir, unfinishedArtifact) }

// Add takes a finished folder, of the same file system, as the artifact of that name.
func (a *Artifacts) Add(functionID, name, folder string) error {
	if err := check(functionID, name); err != nil {
		return err
	}
	if err := a.root.MkdirAll(functionID, 0o700); err != nil {
		return err
	}
	if err := os.Rename(folder, a.Path(functionID, name)); err != nil {
		return err
	}
	return syncDir(a.root, functionID)
}

// Path is the folder of an artifact. Of one that no function can have, it is a folder
// that is not there.
func (a *Artifacts) Path(functionID, name string) string {
	if check(functionID, name) != nil {
		return filepath.Join(a.dir, "invalid", "invalid")
	}
	return filepath.Join(a.dir, functionID, name)
}

// Has tells whether an artifact is there.
func (a *Artifacts) Has(functionID, name string) bool {
	if check(functionID, name) != nil {
		return false
	}
	info, err := a.root.Lstat(path.Join(functionID, name))
	return err == nil && info.IsDir()
}

// Keep removes the artifacts of a function but for those named.
func (a *Artifacts) Keep(functionID string, names ...string) error {
	return keepOnly(a.root, functionID, "", names)
}

// Sweep removes the workspaces that a process which was killed has left, each after
// release was called for it. No build may be running.
func (a *Artifacts) Sweep(release func(workspace string) error) error {
	found, err := filepath.Glob(filepath.Join(a.dir, unfinishedArtifact))
	for _, path := range found {
		if released := release(path); released != nil {
			err = errors.Join(err, released)
			continue
		}
		err = errors.Join(err, tree.Remove(path))
	}
	return err
}
