package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// maxManifest is the maximum size in bytes of a file that Skeleton copies.
const maxManifest = 64 << 20

// Skeleton creates the folder to with the part of the source that a downloading tool may
// read: symbolic links and the files for which keep returns true. With names, it
// creates empty files for all others. Paths are relative and slash-separated.
func Skeleton(ctx context.Context, source, to string, keep func(path string) bool, names bool) error {
	from, err := os.OpenRoot(source)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer root.Close()
	err = fs.WalkDir(from.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case name == ".":
			return nil
		case entry.IsDir():
			return root.MkdirAll(name, 0o755)
		case keep(name):
			return keepFile(from, root, name)
		case entry.Type()&fs.ModeSymlink != 0:
			target, err := from.Readlink(name)
			if err != nil {
				return err
			}
			return root.Symlink(target, name)
		case names:
			return root.WriteFile(name, nil, 0o644)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("prepare the download: %w", err)
	}
	return nil
}

// keepFile copies a regular file, or the target of a symbolic link. It ignores everything
// else.
func keepFile(from, to *os.Root, name string) error {
	info, err := from.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // The target of a link may not exist.
	}
	if info.Size() > maxManifest {
		return fmt.Errorf("%s is larger than %d bytes", path.Base(name), maxManifest)
	}
	in, err := from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, io.LimitReader(in, maxManifest))
	return errors.Join(err, out.Close())
}

// Take copies the regular file name, which a tool has written to the folder from, to the
// folder to, and replaces a file there. It follows no link out of the folders, and does
// nothing if there is no such file.
func Take(from, to, name string) error {
	source, err := os.OpenRoot(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenRoot(to)
	if err != nil {
		return err
	}
	defer target.Close()
	if info, err := source.Stat(name); err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // The tool has not written the file.
	}
	if err := target.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return keepFile(source, target, name)
}
