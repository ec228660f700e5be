package s3

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
	"time"

	"github.com/jeton-dev/jeton/internal/tree"
)

// maxNotes bounds the notes of a build, in bytes.
const maxNotes = 64 << 20

// pack writes a folder as a tar file. The result depends only on names, content,
// permissions and times of modification of files, on the names of folders, and on the
// targets of links. Files lose the write permissions of group and others.
func pack(ctx context.Context, dir string, to io.Writer) error {
	packed := tar.NewWriter(to)
	entries := int64(0)
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || at == dir {
			return err
		}
		if entries++; entries > tree.DefaultEntries {
			return fmt.Errorf("%w: more than %d files and folders", tree.ErrLimit, tree.DefaultEntries)
		}
		name, err := filepath.Rel(dir, at)
		if err != nil {
			return err
		}
		return packEntry(packed, at, filepath.ToSlash(name), entry.Type())
	})
	if err != nil {
		return fmt.Errorf("pack folder: %w", err)
	}
	return packed.Close()
}

func packEntry(packed *tar.Writer, at, name string, kind fs.FileMode) error {
	header := &tar.Header{Name: name, Format: tar.FormatPAX}
	switch {
	case kind.IsDir():
		header.Typeflag, header.Name, header.Mode = tar.TypeDir, name+"/", 0o755
		return packed.WriteHeader(header)
	case kind&fs.ModeSymlink != 0:
		target, err := os.Readlink(at)
		if err != nil {
			return err
		}
		header.Typeflag, header.Linkname, header.Mode = tar.TypeSymlink, target, 0o777
		return packed.WriteHeader(header)
	case kind.IsRegular():
		return packFile(packed, at, header)
	}
	return fmt.Errorf("%s: neither a file, a folder nor a link", name)
}

func packFile(packed *tar.Writer, at string, header *tar.Header) error {
	file, err := os.Open(at)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: the file was replaced", header.Name)
	}
	header.Typeflag, header.Size, header.Mode = tar.TypeReg, info.Size(), int64(info.Mode().Perm()&^0o022)
	// Python compares the time of a source file with that in the compiled file.
	header.ModTime = time.Unix(info.ModTime().Unix(), 0)
	if err := packed.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(packed, file, info.Size())
	return err
}

// unpack writes the entries of a tar file to the empty folder dir. It accepts what pack
// writes only: each folder before its entries, no entry twice, no device, and at most
// limit bytes of content.
func unpack(ctx context.Context, from io.Reader, dir string, limit int64) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	u := unpacker{root: root, folders: map[string]bool{".": true}, left: limit}
	packed := tar.NewReader(from)
	for count := 0; ; count++ {
		header, err := packed.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && count >= tree.DefaultEntries {
			err = fmt.Errorf("%w: more than %d files and folders", tree.ErrLimit, tree.DefaultEntries)
		}
		if err == nil {
			err = u.entry(header, packed)
		}
		if err != nil {
			return fmt.Errorf("unpack: %w", err)
		}
	}
}

type unpacker struct {
	root *os.Root
	// folders are those that were unpacked. An entry in another folder could follow a
	// link.
	folders map[string]bool
	left    int64
}

func (u *unpacker) entry(header *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(header.Name, "/")
	if !filepath.IsLocal(name) || path.Clean(name) != name || name == "." || !u.folders[path.Dir(name)] {
		return fmt.Errorf("%w: invalid name %.100q", errDamaged, header.Name)
	}
	if strings.Count(name, "/") >= tree.MaxDepth {
		return fmt.Errorf("%w: folders nested deeper than %d", tree.ErrLimit, tree.MaxDepth)
	}
	switch header.Typeflag {
	case tar.TypeDir:
		u.folders[name] = true
		return u.root.Mkdir(name, 0o755)
	case tar.TypeSymlink:
		return u.root.Symlink(header.Linkname, name)
	case tar.TypeReg:
		return u.file(name, header, content)
	}
	return fmt.Errorf("%w: %.100q is neither a file, a folder nor a link", errDamaged, header.Name)
}

func (u *unpacker) file(name string, header *tar.Header, content io.Reader) error {
	// The size of a sparse file is larger than what is stored.
	if u.left -= header.Size; header.Size < 0 || u.left < 0 {
		return fmt.Errorf("%w: the content is larger than the object", errDamaged)
	}
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	// The umask does not apply, since the digest covers the permissions.
	err = errors.Join(err, file.Chmod(fs.FileMode(header.Mode).Perm()&^0o022), file.Close())
	return errors.Join(err, u.root.Chtimes(name, header.ModTime, header.ModTime))
}
