package parcel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"
)

// A Snapshot has what distinguishes the files of a folder from later ones, by their path.
type Snapshot map[string]stamp

type stamp struct {
	size     int64
	modified time.Time
	mode     fs.FileMode
}

func stampOf(entry fs.DirEntry) (stamp, error) {
	info, err := entry.Info()
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime(), info.Mode()}, nil
}

// Look returns the snapshot of a folder.
func Look(ctx context.Context, dir string) (Snapshot, error) {
	s := Snapshot{}
	err := walk(ctx, dir, func(_, name string, entry fs.DirEntry) (err error) {
		s[name], err = stampOf(entry)
		return err
	})
	return s, err
}

// PackChanges is Pack without the files that are as in an earlier snapshot, and without what is no file,
// folder or symbolic link.
func PackChanges(ctx context.Context, dir string, w io.Writer, earlier Snapshot) error {
	return PackSome(ctx, dir, w, func(name string, entry fs.DirEntry) (bool, error) {
		if entry.IsDir() {
			return true, nil
		}
		now, err := stampOf(entry)
		packable := entry.Type().IsRegular() || entry.Type()&fs.ModeSymlink != 0
		return packable && now != earlier[name], err
	})
}

// Merge moves the content of a folder within dir into dir. Files and links replace those with their
// names; folders are united. Readers of dir see each file before or after its replacement.
func Merge(ctx context.Context, dir, folder string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	defer root.Close()
	err = walk(ctx, path.Join(dir, folder), func(_, name string, entry fs.DirEntry) error {
		if entry.IsDir() {
			if err := root.Mkdir(name, 0o700); !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		}
		return root.Rename(path.Join(folder, name), name)
	})
	if err != nil {
		return fmt.Errorf("merge %s: %w", folder, err)
	}
	return nil
}
