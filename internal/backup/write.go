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
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// What stands in a data folder.
const (
	databaseFile   = "jeton.db"
	keyFile        = "secret.key"
	archivesFolder = "archives"
	artifactsDir   = "artifacts"
	acmeFolder     = "acme"
)

// besides are the files and folders, beside the database and what that refers
// to, that are kept where there are any.
var besides = []string{"ca.pem", "ca.key", acmeFolder, "audit.log"}

// Options say what a backup holds.
type Options struct {
	// WithoutKey leaves out the key of the sealed values: whoever has the file
	// and the key has every secret.
	WithoutKey bool
	// Now is when the backup is made.
	Now time.Time
}

// attempts is how often a backup begins anew because something it needs was
// removed under its hands.
const attempts = 5

// Write writes a backup of the data folder as a compressed tar. A server may use
// the folder meanwhile: the backup is of one instant.
func Write(ctx context.Context, dataDir string, out io.Writer, options Options) error {
	work, err := os.MkdirTemp(dataDir, "backup-*")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(work)
	for attempt := 1; ; attempt++ {
		pinned := filepath.Join(work, fmt.Sprint(attempt))
		err := pin(ctx, dataDir, pinned, options)
		if err == nil {
			return pack(pinned, out, options.Now)
		}
		if attempt == attempts || !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("backup: %w", err)
		}
	}
}

// pin makes a folder that holds one instant of the data folder. Archives and
// artifacts never change, so other names for them are enough; but they can be
// removed, before they have those.
func pin(ctx context.Context, dataDir, pinned string, options Options) error {
	if err := os.Mkdir(pinned, 0o700); err != nil {
		return err
	}
	snapshot := filepath.Join(pinned, databaseFile)
	if err := sqlite.Snapshot(ctx, filepath.Join(dataDir, databaseFile), snapshot); err != nil {
		return err
	}
	needed, err := referred(ctx, snapshot)
	if err != nil {
		return err
	}
	if !options.WithoutKey {
		needed = append(needed, keyFile)
	}
	for _, name := range needed {
		if err := link(dataDir, pinned, name); err != nil {
			return err
		}
	}
	for _, name := range besides {
		if err := link(dataDir, pinned, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// referred are the archives and artifacts that the functions of a snapshot need.
func referred(ctx context.Context, snapshot string) (names []string, err error) {
	store, err := sqlite.Open(ctx, snapshot, time.Now)
	if err != nil {
		return nil, err
	}
	// Without its log the file is whole by itself.
	defer func() { err = errors.Join(err, store.Close()) }()
	return names, store.View(ctx, func(tx functions.Tx) error {
		all, _, err := tx.Functions(functions.Filter{}, functions.Page{})
		for _, f := range all {
			if f.Status == functions.Deleting {
				continue // its files are going, and it with them
			}
			archives := map[string]bool{f.Archive: true, f.Target: true}
			if f.Revision != nil {
				archives[f.Revision.Archive] = true
				if f.Revision.Artifact != "" {
					names = append(names, filepath.Join(artifactsDir, f.ID, f.Revision.Artifact))
				}
			}
			for digest := range archives {
				if digest != "" {
					names = append(names, filepath.Join(archivesFolder, f.ID, digest))
				}
			}
		}
		return err
	})
}

// link gives a file, or all files of a folder, another name in the pinned folder;
// where that cannot be, a copy.
func link(from, to, name string) error {
	return filepath.WalkDir(filepath.Join(from, name), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, 0o700)
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is no file", path)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := os.Link(path, target); err == nil || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return copyFile(path, target)
	})
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		return err
	}
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

// pack writes the folder's files.
func pack(folder string, out io.Writer, now time.Time) error {
	compressed := gzip.NewWriter(out)
	compressed.ModTime = now
	packed := tar.NewWriter(compressed)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return packFile(packed, path, filepath.ToSlash(name))
	})
	if err := errors.Join(err, packed.Close(), compressed.Close()); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	return nil
}

func packFile(packed *tar.Writer, path, name string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Size: info.Size(), Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	// A log may have grown since.
	_, err = io.CopyN(packed, file, info.Size())
	return err
}
