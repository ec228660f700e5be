package tree

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// batch is how many names of a folder are read at once.
const batch = 512

// A folder is one level of a walk.
type folder struct {
	*os.Root
	file *os.File
	// Name is its path from the tree's root, for messages only; "." for the root.
	name string
}

// openFolder opens a folder that is no symbolic link below another one.
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
	_ = f.file.Close() // It was only read.
	_ = f.Close()
}

// each calls do for the entries of the folder. What vanishes meanwhile is left
// out.
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

// sizeOf is what an entry counts in bytes.
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

// Measure returns how large a tree is, its root not counted. It stops with an
// error that wraps ErrLimit as soon as the tree is beyond the limits or nested
// deeper than MaxDepth, and with ctx's cause if that ended. A root that does not
// exist is empty.
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

// descend calls do for a folder below another one. One that vanished meanwhile, or
// became something else, is left out.
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

// special are the bits of a mode that let a program run as somebody else.
const special = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// Clean makes a tree harmless to users of this machine: it takes away set-user-id,
// set-group-id and sticky bits and write permissions of others, and removes what is
// neither a file, a folder nor a symbolic link. It goes on after what it cannot
// clean, and returns all errors.
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
