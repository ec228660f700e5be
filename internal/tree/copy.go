package tree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Options say how Copy copies.
type Options struct {
	// Limits bound what is copied.
	Limits Limits
	// Link gives files another name instead of copying them, where the file system
	// can: for files that never change.
	Link bool
}

// Copy makes the folder to, whose parent exists and in which there is nothing of
// that name, a copy of the folder from. Files keep their content, their holes and
// their permissions, without set-user-id and set-group-id bits and write
// permissions of others; folders get 0755, within the umask. Symbolic links are
// copied as they are. Returns an error that wraps ErrLimit for a tree beyond the
// limits, ctx's cause if that ended, and an error for what is neither a file, a
// folder nor a link. After an error a part of the copy may be there.
func Copy(ctx context.Context, from, to string, o Options) error {
	source, err := openTree(from)
	if err != nil {
		return err
	}
	defer source.close()
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	target, err := openTree(to)
	if err != nil {
		return err
	}
	defer target.close()
	c := copier{ctx: ctx, options: o}
	return c.folder(source, target, 1)
}

// CopyFile makes the file to a copy of the file from, by the same rules. With Link
// and a file system that can, it is another name of the same file.
func CopyFile(ctx context.Context, from, to string, o Options) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("copy %s: not a regular file", from)
	}
	if o.Link {
		err := os.Link(from, to)
		if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	source, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permissions(info))
	if err != nil {
		return err
	}
	c := copier{ctx: ctx, options: o}
	err = c.used.add(sizeOf(info), o.Limits)
	if err == nil {
		err = c.content(source, target, info.Size())
	}
	return errors.Join(err, target.Close())
}

type copier struct {
	ctx     context.Context
	options Options
	used    Usage
}

func (c *copier) folder(from, to *folder, depth int) error {
	return from.each(c.ctx, func(name string, info fs.FileInfo) error {
		if err := c.used.add(sizeOf(info), c.options.Limits); err != nil {
			return err
		}
		switch mode := info.Mode(); {
		case mode.IsDir():
			if err := to.Mkdir(name, 0o755); err != nil {
				return err
			}
			return descend(from, name, depth, func(sub *folder) error {
				return descend(to, name, depth, func(target *folder) error { return c.folder(sub, target, depth+1) })
			})
		case mode&fs.ModeSymlink != 0:
			leads, err := from.Readlink(name)
			if err != nil {
				return err
			}
			return to.Symlink(leads, name)
		case mode.IsRegular():
			return c.file(from, to, name, info)
		}
		return fmt.Errorf("copy %s: neither a file, a folder nor a link", join(from.name, name))
	})
}

func (c *copier) file(from, to *folder, name string, info fs.FileInfo) error {
	// A file with bits that must not survive is copied, not linked.
	if c.options.Link && info.Mode()&special == 0 && info.Mode().Perm()&0o022 == 0 {
		err := unix.Linkat(int(from.file.Fd()), name, int(to.file.Fd()), name, 0)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// A file has only so many names, and not every file system has links.
	}
	// A pipe in its place must not block.
	source, err := from.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	if opened, err := source.Stat(); err != nil || !os.SameFile(opened, info) {
		return errors.Join(err, fmt.Errorf("copy %s: it was replaced meanwhile", join(from.name, name)))
	}
	target, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permissions(info))
	if err != nil {
		return err
	}
	return errors.Join(c.content(source, target, info.Size()), target.Close())
}

func permissions(info fs.FileInfo) fs.FileMode { return info.Mode().Perm() &^ 0o022 }

// piece is how much is copied between two looks at the context.
const piece = 8 << 20

// content copies size bytes, and leaves out holes.
func (c *copier) content(from, to *os.File, size int64) error {
	for at := int64(0); at < size; {
		start, end, err := extent(from, at, size)
		if err != nil {
			return err
		}
		for at = start; at < end; {
			if c.ctx.Err() != nil {
				return context.Cause(c.ctx)
			}
			n := min(piece, end-at)
			if _, err := from.Seek(at, io.SeekStart); err != nil {
				return err
			}
			if _, err := to.Seek(at, io.SeekStart); err != nil {
				return err
			}
			if _, err := io.CopyN(to, from, n); err != nil {
				return err
			}
			at += n
		}
		at = max(at, end)
	}
	// The end may be a hole.
	return to.Truncate(size)
}

// extent returns where the next data of a file is, at or behind an offset; size for
// both if there is none.
func extent(f *os.File, at, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size, size, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		// The file system knows no holes.
		return at, size, nil
	case err != nil:
		return 0, 0, err
	}
	end, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
	if err != nil {
		return 0, 0, err
	}
	return min(start, size), min(end, size), nil
}
