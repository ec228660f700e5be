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
	"strings"

	"github.com/jeton-dev/jeton/internal/store/sqlite"
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
			err = errors.Join(err, os.RemoveAll(unfinished))
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
	for {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			// What stands behind the end would be lost without a word; and the
			// sum at the very end is checked by reading up to it.
			_, err := io.Copy(io.Discard, compressed)
			return err
		}
		if err != nil {
			return fmt.Errorf("not a backup, or a part of one: %w", err)
		}
		if err := unpackFile(root, header, packed); err != nil {
			return fmt.Errorf("%.200q: %w", header.Name, err)
		}
	}
}

// errForeign is a file that no backup holds.
var errForeign = errors.New("no backup holds such a file")

func unpackFile(root *os.Root, header *tar.Header, content io.Reader) error {
	first, _, _ := strings.Cut(header.Name, "/")
	known := false
	for _, name := range append([]string{databaseFile, keyFile, archivesFolder, artifactsDir}, besides...) {
		known = known || first == name
	}
	if !known || header.Typeflag != tar.TypeReg || path.Clean(header.Name) != header.Name {
		return errForeign
	}
	// Built code is read by others than the server; the data folder is its own.
	if err := root.MkdirAll(path.Dir(header.Name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(header.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fs.FileMode(header.Mode).Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Sync(), file.Close())
}
