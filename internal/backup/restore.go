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

// ErrNotEmpty is returned where a backup would come upon what is there.
var ErrNotEmpty = errors.New("the data folder is not empty: restore into another one with --data-dir, or move this one away first")

// Restore makes a data folder of a backup. It is there whole, or not at all.
func Restore(ctx context.Context, in io.Reader, dataDir string) (err error) {
	switch entries, err := os.ReadDir(dataDir); {
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s: %w", dataDir, ErrNotEmpty)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("restore: %w", err)
	}
	unfinished := filepath.Clean(dataDir) + ".restoring"
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("restore: %w: remove what an earlier attempt has left", err)
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
	// An empty folder gives way to one that is not.
	if err := os.Rename(unfinished, dataDir); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// unpack writes the files of a backup into a folder, and none anywhere else.
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
			// What stands behind the end would be lost without a word; and the
			// sum at the very end is checked by reading up to it.
			_, err := io.Copy(io.Discard, compressed)
			return errors.Join(err, makeLinks(root, links))
		}
		if err != nil {
			return fmt.Errorf("not a backup, or a part of one: %w", err)
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

// errForeign is a file that no backup holds.
var errForeign = errors.New("no backup holds such a file")

// check returns errForeign unless the name is that of a file of a data folder.
func check(name string) error {
	first, _, _ := strings.Cut(name, "/")
	known := slices.Contains(append([]string{databaseFile, keyFile, archivesFolder, artifactsDir}, besides...), first) || auditFile.MatchString(name)
	if !known || path.Clean(name) != name || !filepath.IsLocal(name) || strings.Count(name, "/") > tree.MaxDepth {
		return errForeign
	}
	return nil
}

func unpackFile(root *os.Root, header *tar.Header, content io.Reader) error {
	if err := check(header.Name); err != nil || header.Typeflag != tar.TypeReg {
		return errForeign
	}
	// Built code is read by others than the server; the data folder is its own.
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
	// maxLinks bounds the links of a backup, which are kept in memory, and maxTarget
	// the length of where one leads.
	maxLinks  = 1 << 20
	maxTarget = 4096
	// linkDepth is how deep a link is at least: only within an artifact.
	linkDepth = 3
)

// A symlink is a symbolic link of a function's code. The server follows none.
type symlink struct{ name, target string }

func addLink(links []symlink, header *tar.Header) ([]symlink, error) {
	isCode := strings.HasPrefix(header.Name, artifactsDir+"/") && strings.Count(header.Name, "/") >= linkDepth
	if err := check(header.Name); err != nil || !isCode || header.Linkname == "" || len(header.Linkname) > maxTarget {
		return nil, errForeign
	}
	if len(links) == maxLinks {
		return nil, fmt.Errorf("more than %d links", maxLinks)
	}
	return append(links, symlink{header.Name, header.Linkname}), nil
}

// makeLinks makes the links when all files are there, so that nothing is written
// through one. A link whose folder is a link itself is refused: that there are folders
// for all of them is seen to before the first is made.
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
