package blob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/internal/tree"
)

// openRoot makes a folder that only the server can read, and opens it. Nothing
// outside of it is ever reached through the root.
func openRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// check returns an error unless each of the texts names one file or folder: IDs and
// digests do.
func check(names ...string) error {
	for _, name := range names {
		if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) || name == "." {
			return fmt.Errorf("%q is not the name of a file", name)
		}
	}
	return nil
}

// keepOnly removes the entries of a folder but for those named and those that
// match the pattern, and the folder itself where none is named.
func keepOnly(root *os.Root, folder, pattern string, names []string) error {
	if err := check(folder); err != nil {
		return err
	}
	if len(names) == 0 {
		return tree.RemoveIn(root, folder)
	}
	inner, err := root.OpenRoot(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer inner.Close()
	entries, err := readDir(inner)
	for _, entry := range entries {
		unfinished, _ := filepath.Match(pattern, entry)
		if !unfinished && !slices.Contains(names, entry) {
			err = errors.Join(err, tree.RemoveIn(inner, entry))
		}
	}
	return err
}

func readDir(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// syncDir makes a rename within the folder survive a crash.
func syncDir(root *os.Root, folder string) error {
	dir, err := root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
