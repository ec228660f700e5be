package backup

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/tree"
)

// ErrNotEmpty is returned if the data folder to restore to is not empty.
var ErrNotEmpty = errors.New("the data folder is not empty: restore to another folder with --data-dir, or move this one away first")

// Restore creates a data folder from a backup. On an error there is no data folder.
func Restore(ctx context.Context, in io.Reader, dataDir string) (err error) {
	switch entries, err := os.ReadDir(dataDir); {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: %w", dataDir, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("restore: %w", err)
	}
	unfinished := filepath.Clean(dataDir) + ".restoring"
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("restore: %w: remove the folder of the earlier attempt", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tree.Remove(unfinished))
		}
	}()
	if err := unpack(in, unfinished); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := sqlite.Verify(ctx, filepath.Join(unfinished, databaseFile)); err != nil {
		return fmt.Errorf("restore: the backup is damaged: %w", err)
	}
	// The restored data must be on the disk before the command reports success.
	if err := tree.Sync(ctx, unfinished); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	// Rename replaces an empty folder.
	if err := os.Rename(unfinished, dataDir); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := syncFolder(filepath.Dir(filepath.Clean(dataDir))); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// syncFolder makes a rename within a folder survive a crash of the machine.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// unpack writes the files of a backup to a folder. It writes nothing outside of it.
func unpack(in io.Reader, folder string) error {
	compressed, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("not a backup: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	packed := tar.NewReader(compressed)
	var links []symlink
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			// Reading to the end verifies the checksum.
			_, err := io.Copy(io.Discard, compressed)
			return errors.Join(err, makeLinks(root, links))
		}
		if err != nil {
			return fmt.Errorf("not a backup, or not a complete one: %w", err)
		}
		if header.Typeflag == tar.TypeSymlink {
			links, err = addLink(links, header)
		} else {
			err = unpackFile(root, header, packed)
		}
		if err != nil {
			return fmt.Errorf("%.200q: %w", header.Name, err)
		}
	}
}

// errForeign is returned for a file that a backup cannot contain.
var errForeign = errors.New("a backup does not contain such a file")

// check returns errForeign unless a data folder can have a file with the name.
func check(name string) error {
	first, _, _ := strings.Cut(name, "/")
	known := slices.Contains(append([]string{databaseFile, keyFile, archivesFolder, artifactsDir}, optional...), first) || auditFile.MatchString(name)
	if !known || path.Clean(name) != name || !filepath.IsLocal(name) || strings.Count(name, "/") > tree.MaxDepth {
		return errForeign
	}
	return nil
}

func unpackFile(root *os.Root, header *tar.Header, content io.Reader) error {
	if err := check(header.Name); err != nil || header.Typeflag != tar.TypeReg {
		return errForeign
	}
	// Other users run the built code. The data folder itself is private.
	if err := root.MkdirAll(path.Dir(header.Name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(header.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(header.Mode).Perm()&^0o022)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Sync(), file.Close())
}

const (
	// maxLinks is the maximum number of symbolic links, which are kept in memory, and
	// maxTarget the maximum length of the target of one.
	maxLinks  = 1 << 20
	maxTarget = 4096
	// linkDepth is the minimum number of slashes in a link's name, so that links are
	// within an artifact.
	linkDepth = 3
)

// A symlink is a symbolic link in a function's code. The server does not follow it.
type symlink struct{ name, target string }

func addLink(links []symlink, header *tar.Header) ([]symlink, error) {
	isCode := strings.HasPrefix(header.Name, artifactsDir+"/") && strings.Count(header.Name, "/") >= linkDepth
	if err := check(header.Name); err != nil || !isCode || header.Linkname == "" || len(header.Linkname) > maxTarget {
		return nil, errForeign
	}
	if len(links) == maxLinks {
		return nil, fmt.Errorf("more than %d symbolic links", maxLinks)
	}
	return append(links, symlink{header.Name, header.Linkname}), nil
}

// makeLinks creates the links after all files, so that no file is written through a
// link. It creates all folders first, so that it refuses a link within another link.
func makeLinks(root *os.Root, links []symlink) error {
	for _, l := range links {
		if err := root.MkdirAll(path.Dir(l.name), 0o755); err != nil {
			return err
		}
	}
	for _, l := range links {
		if err := root.Symlink(l.target, l.name); err != nil {
			return err
		}
	}
	return nil
}
