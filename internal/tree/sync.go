package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// syncedOneByOne is the number of entries up to which Sync syncs each of them.
const syncedOneByOne = 8

// Sync makes a folder and its content survive a crash of the machine. The name of the
// folder itself needs a sync of its parent.
//
// It syncs the entries of a small folder one by one, so that it does not wait for data
// that others have written. For a larger folder it syncs the whole file system, because
// each fsync waits for the disk: on ext4, 3000 files of 8 KiB took 700 ms to 3.5 s one
// by one, and 26 to 63 ms together. 3 files took 1 to 8 ms one by one, and up to 250 ms
// together with the data of others.
func Sync(ctx context.Context, dir string) error {
	root, err := openTree(dir)
	if err != nil {
		return err
	}
	defer root.close()
	var u Usage
	err = measure(ctx, root, 1, Limits{Entries: syncedOneByOne}, &u)
	large := errors.Is(err, ErrLimit)
	if err != nil && !large {
		return err
	}
	if large {
		err = syncFileSystem(root.file)
	}
	if !large || errors.Is(err, errors.ErrUnsupported) {
		err = syncEntries(ctx, dir)
	}
	if errors.Is(err, fs.ErrPermission) {
		// A file that its owner cannot read cannot be synced by itself.
		return syncFileSystem(root.file)
	}
	return err
}

func syncEntries(ctx context.Context, dir string) error {
	root, err := openTree(dir)
	if err != nil {
		return err
	}
	defer root.close()
	return syncFolder(ctx, root, 1)
}

func syncFolder(ctx context.Context, f *folder, depth int) error {
	err := f.each(ctx, func(name string, info fs.FileInfo) error {
		switch {
		case info.IsDir():
			return descend(f, name, depth, func(sub *folder) error { return syncFolder(ctx, sub, depth+1) })
		case info.Mode().IsRegular():
			return syncFile(f, name)
		}
		return nil // The folder contains the rest, such as links.
	})
	if err != nil {
		return err
	}
	return f.file.Sync()
}

func syncFile(f *folder, name string) error {
	// O_NONBLOCK: a pipe that has replaced the file must not block.
	file, err := f.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
