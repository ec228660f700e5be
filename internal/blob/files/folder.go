package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/tree"
)

// openRoot creates a folder that only the server's user can read, and opens it.
func openRoot(dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// check returns blob.ErrInvalidName unless each name is that of a single file or
// folder, as IDs and digests are.
func check(names ...string) error {
	for _, name := range names {
		if name == "" || name == "." || name != filepath.Base(name) || !filepath.IsLocal(name) {
			return fmt.Errorf("%.100q: %w", name, blob.ErrInvalidName)
		}
	}
	return nil
}

// notFound replaces the error of a file that does not exist by blob.ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return blob.ErrNotFound
	}
	return err
}

// keepOnly removes the entries of a folder except those with the given names and
// those that match the pattern. Without names it removes the folder itself.
func keepOnly(root *os.Root, folder, pattern string, names []string) error {
	if err := check(folder); err != nil {
		return err
	}
	if len(names) == 0 {
		return tree.RemoveIn(root, folder)
	}
	inner, err := root.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer inner.Close()
	entries, err := readDir(inner)
	for _, entry := range entries {
		unfinished, _ := filepath.Match(pattern, entry.Name())
		if !unfinished && !slices.Contains(names, entry.Name()) {
			err = errors.Join(err, tree.RemoveIn(inner, entry.Name()))
		}
	}
	return err
}

// folders returns the names of the folders in the root that do not match the pattern.
func folders(root *os.Root, except string) ([]string, error) {
	entries, err := readDir(root)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if excepted, _ := filepath.Match(except, entry.Name()); entry.IsDir() && !excepted {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func readDir(root *os.Root) ([]fs.DirEntry, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadDir(-1)
}

// syncDir makes a rename within the folder survive a crash, and the folder itself if
// it is new in root.
func syncDir(root *os.Root, folder string) error {
	for _, name := range []string{folder, "."} {
		dir, err := root.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return err
		}
	}
	return nil
}
