package parcel

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Limits bound what Unpack creates.
type Limits struct {
	// Bytes is the maximum size of all files together, and Entries the maximum number of files,
	// folders and links.
	Bytes   int64
	Entries int
}

// DefaultLimits are sufficient for every artifact that a build may create.
var DefaultLimits = Limits{Bytes: 4 << 30, Entries: 500_000}

// Pack writes the content of a folder to w: files, folders and symbolic links, in a fixed order.
// Owners, times and other modes than the permissions are left out.
func Pack(ctx context.Context, dir string, w io.Writer) error {
	return PackSome(ctx, dir, w, func(string, fs.DirEntry) (bool, error) { return true, nil })
}

// PackSome is Pack for the entries for which the function returns true. It gets the path within the
// folder, with slashes, and can return fs.SkipDir and other errors, as that of fs.WalkDir.
func PackSome(ctx context.Context, dir string, w io.Writer, includes func(name string, entry fs.DirEntry) (bool, error)) error {
	archive := tar.NewWriter(w)
	err := walk(ctx, dir, func(file, name string, entry fs.DirEntry) error {
		if ok, err := includes(name, entry); err != nil || !ok {
			return err
		}
		return pack(archive, file, name, entry)
	})
	if err != nil {
		return fmt.Errorf("pack %s: %w", dir, err)
	}
	return archive.Close()
}

// walk calls a function for each entry of a folder, with its path, and its path within the folder.
func walk(ctx context.Context, dir string, visit func(file, name string, entry fs.DirEntry) error) error {
	return filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		return visit(file, filepath.ToSlash(name), entry)
	})
}

func pack(archive *tar.Writer, file, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: int64(info.Mode().Perm())}
	switch {
	case info.IsDir():
		header.Typeflag = tar.TypeDir
		return archive.WriteHeader(header)
	case info.Mode()&fs.ModeSymlink != 0:
		header.Typeflag = tar.TypeSymlink
		if header.Linkname, err = os.Readlink(file); err != nil {
			return err
		}
		return archive.WriteHeader(header)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no file, folder or symbolic link", name)
	}
	content, err := os.Open(file)
	if err != nil {
		return err
	}
	defer content.Close()
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(archive, content)
	return err
}

// Unpack creates the content of an archive in an existing folder. It reads r to its end.
func Unpack(ctx context.Context, r io.Reader, dir string, limits Limits) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	defer root.Close()
	archive := tar.NewReader(r)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, r) // The end of r verifies its content.
			return err
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if limits.Entries--; limits.Entries < 0 {
			return errors.New("unpack: too many files and folders")
		}
		if limits.Bytes -= header.Size; header.Size < 0 || limits.Bytes < 0 {
			return errors.New("unpack: the files are too large")
		}
		if err := create(root, archive, header); err != nil {
			return fmt.Errorf("unpack %.200q: %w", header.Name, err)
		}
	}
}

// create creates one entry. Root refuses names and links that lead out of the folder.
func create(root *os.Root, content io.Reader, header *tar.Header) error {
	name := strings.TrimSuffix(header.Name, "/")
	if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "../") || name == ".." || name == "." {
		return errors.New("not a clean relative path")
	}
	mode := fs.FileMode(header.Mode) & fs.ModePerm
	// An agent unpacks what the function reads as another user of the same group.
	mode |= mode & 0o500 >> 3
	switch header.Typeflag {
	case tar.TypeDir:
		// The owner must be able to create its content, and to remove it.
		return root.Mkdir(name, mode|0o700)
	case tar.TypeSymlink:
		return root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close())
	}
	return errors.New("neither a file, a folder nor a symbolic link")
}
