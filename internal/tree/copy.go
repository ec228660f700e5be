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

// Options change how Copy copies.
type Options struct {
	// Limits bound the copied tree.
	Limits Limits
	// Link makes hard links instead of copies, if the file system supports them. Use it
	// only for files that never change.
	Link bool
}

// Copy copies the folder from to the folder to, which must not exist; its parent must.
// Files keep their content, holes and permissions, except set-user-id and set-group-id
// bits and write permissions of group and others. Folders get mode 0755, within the
// umask. Symbolic links keep their targets. Copy returns an error that wraps ErrLimit
// for a tree beyond the limits, ctx's cause if ctx ended, and an error for entries of
// other types. After an error an incomplete copy may remain.
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

// CopyFile copies the file from to the file to by the same rules as Copy.
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
			target, err := from.Readlink(name)
			if err != nil {
				return err
			}
			return to.Symlink(target, name)
		case mode.IsRegular():
			return c.file(from, to, name, info)
		}
		return fmt.Errorf("copy %s: neither a file, a folder nor a link", join(from.name, name))
	})
}

func (c *copier) file(from, to *folder, name string, info fs.FileInfo) error {
	// A hard link would keep the bits that a copy must not have.
	if c.options.Link && info.Mode()&special == 0 && info.Mode().Perm()&0o022 == 0 {
		err := unix.Linkat(int(from.file.Fd()), name, int(to.file.Fd()), name, 0)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// The file has too many links, or the file system does not support them: copy it.
	}
	// O_NONBLOCK: a pipe that has replaced the file must not block.
	source, err := from.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer source.Close()
	if opened, err := source.Stat(); err != nil || !os.SameFile(opened, info) {
		return errors.Join(err, fmt.Errorf("copy %s: the file was replaced during the copy", join(from.name, name)))
	}
	target, err := to.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permissions(info))
	if err != nil {
		return err
	}
	return errors.Join(c.content(source, target, info.Size()), target.Close())
}

func permissions(info fs.FileInfo) fs.FileMode { return info.Mode().Perm() &^ 0o022 }

// piece is how much is copied between two checks of the context, in bytes.
const piece = 8 << 20

// content copies size bytes, and keeps holes.
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
	// The file may end with a hole.
	return to.Truncate(size)
}

// extent returns the start and end of the next data of a file at or after an offset, or
// size for both if there is none.
func extent(f *os.File, at, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return size, size, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		// The file system does not support holes.
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
