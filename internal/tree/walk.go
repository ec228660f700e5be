package tree

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// batch is how many names of a folder are read at a time.
const batch = 512

// A folder is one level of a walk.
type folder struct {
	*os.Root
	file *os.File
	// name is the path from the tree's root, for messages only; "." for the root.
	name string
}

// openFolder opens a subfolder.
func openFolder(parent *folder, name string) (*folder, error) {
	root, err := parent.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return newFolder(root, join(parent.name, name))
}

func newFolder(root *os.Root, name string) (*folder, error) {
	file, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &folder{Root: root, file: file, name: name}, nil
}

func openTree(dir string) (*folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return newFolder(root, ".")
}

func (f *folder) close() {
	_ = f.file.Close() // Reading cannot leave unwritten data.
	_ = f.Close()
}

// each calls do for each entry of the folder. It ignores entries that are removed in the
// meantime.
func (f *folder) each(ctx context.Context, do func(name string, info fs.FileInfo) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		names, err := f.file.Readdirnames(batch)
		for _, name := range names {
			info, err := f.Lstat(name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = do(name, info)
			}
			if err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// sizeOf returns the size of an entry as Usage.Bytes counts it.
func sizeOf(info fs.FileInfo) int64 {
	size := info.Size()
	if !info.Mode().IsRegular() {
		size = 0
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		size = max(size, stat.Blocks*512)
	}
	return size
}

// Measure returns the size of a tree without its root. It stops with an error that wraps
// ErrLimit when the tree exceeds the limits or MaxDepth, and with ctx's cause if ctx
// ended. It returns the zero value if dir does not exist.
func Measure(ctx context.Context, dir string, l Limits) (Usage, error) {
	var u Usage
	root, err := openTree(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return u, nil
	}
	if err != nil {
		return u, err
	}
	defer root.close()
	return u, measure(ctx, root, 1, l, &u)
}

func measure(ctx context.Context, f *folder, depth int, l Limits, u *Usage) error {
	return f.each(ctx, func(name string, info fs.FileInfo) error {
		if err := u.add(sizeOf(info), l); err != nil {
			return err
		}
		if !info.IsDir() {
			return nil
		}
		return descend(f, name, depth, func(sub *folder) error { return measure(ctx, sub, depth+1, l, u) })
	})
}

// descend calls do for a subfolder. It returns nil if the folder was removed or replaced
// by something else in the meantime.
func descend(f *folder, name string, depth int, do func(*folder) error) error {
	if depth >= MaxDepth {
		return errDepth()
	}
	sub, err := openFolder(f, name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	if err != nil {
		return err
	}
	defer sub.close()
	return do(sub)
}

// special are the mode bits that a cleaned or copied file must not have.
const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Clean removes from a tree what is dangerous to users of this machine: set-user-id,
// set-group-id and sticky bits, write permissions of group and others, and entries that
// are neither files, folders nor symbolic links. It continues after errors, and returns
// all of them. It returns nil if dir does not exist.
func Clean(ctx context.Context, dir string) error {
	root, err := openTree(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer root.close()
	return clean(ctx, root, 1)
}

func clean(ctx context.Context, f *folder, depth int) error {
	var failed error
	err := f.each(ctx, func(name string, info fs.FileInfo) error {
		mode := info.Mode()
		switch {
		case mode.IsDir():
			err := descend(f, name, depth, func(sub *folder) error { return clean(ctx, sub, depth+1) })
			if errors.Is(err, ErrLimit) {
				return err
			}
			failed = errors.Join(failed, err)
		case mode&fs.ModeSymlink != 0:
			return nil
		case !mode.IsRegular():
			failed = errors.Join(failed, f.Remove(name))
			return nil
		}
		if mode&special != 0 || mode.Perm()&0o022 != 0 {
			failed = errors.Join(failed, f.Chmod(name, mode.Perm()&^0o022))
		}
		return nil
	})
	return errors.Join(failed, err)
}
