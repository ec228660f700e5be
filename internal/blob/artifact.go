package blob

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/tree"
)

// Artifacts keeps what was built, one folder an artifact, below a folder of
// the function's own.
type Artifacts struct{ dir string }

// NewArtifacts returns the artifacts below dir, which it makes.
func NewArtifacts(dir string) (*Artifacts, error) {
	return &Artifacts{dir: dir}, os.MkdirAll(dir, 0o700)
}

// unfinishedArtifact matches the names of the folders that builds work in.
const unfinishedArtifact = "build-*"

// Workspace makes an empty folder for one build, on the same file system as
// the artifacts.
func (a *Artifacts) Workspace() (string, error) { return os.MkdirTemp(a.dir, unfinishedArtifact) }

// Add takes a finished folder as the artifact of that name.
func (a *Artifacts) Add(functionID, name, folder string) error {
	if err := os.MkdirAll(filepath.Join(a.dir, functionID), 0o700); err != nil {
		return err
	}
	if err := os.Rename(folder, a.Path(functionID, name)); err != nil {
		return err
	}
	return syncDir(filepath.Join(a.dir, functionID))
}

// Path is the folder of an artifact.
func (a *Artifacts) Path(functionID, name string) string {
	return filepath.Join(a.dir, functionID, name)
}

// Has tells whether an artifact is there.
func (a *Artifacts) Has(functionID, name string) bool {
	info, err := os.Stat(a.Path(functionID, name))
	return err == nil && info.IsDir()
}

// Keep removes the artifacts of a function but for those named.
func (a *Artifacts) Keep(functionID string, names ...string) error {
	return keepOnly(filepath.Join(a.dir, functionID), "", names)
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
