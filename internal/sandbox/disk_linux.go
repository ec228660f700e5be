package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
	"github.com/jeton-dev/jeton/internal/volume"
)

// disks makes file systems of one size, each in an image file without a name: the
// kernel frees it after the last process that uses it has ended.
type disks struct {
	dir  string
	size int64
	// template is an empty file system. Each disk is a copy of it.
	template *os.File
	idmaps   *idmaps
}

// openDisks makes the template in a folder.
func openDisks(dir string, size int64) (*disks, error) {
	if size < MinDisk {
		return nil, fmt.Errorf("make disks of %d bytes: want %d at least", size, MinDisk)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make disks: %w", err)
	}
	d := &disks{dir: dir, size: size, idmaps: newIDMaps()}
	var err error
	if d.template, err = d.newFile(); err != nil {
		return nil, fmt.Errorf("make disks in %s: %w", dir, err)
	}
	if err := volume.FormatImage(context.Background(), d.template, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("make disks: %w", err), d.close())
	}
	return d, nil
}

// newFile makes an empty sparse file without a name.
func (d *disks) newFile() (*os.File, error) {
	fd, err := unix.Open(d.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make unnamed file: %w", err)
	}
	f := os.NewFile(uintptr(fd), "disk")
	if err := f.Truncate(d.size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// copyTemplate copies the template, without its holes.
func (d *disks) copyTemplate(to *os.File) error {
	if unix.IoctlFileClone(int(to.Fd()), int(d.template.Fd())) == nil {
		return nil
	}
	for at := int64(0); ; {
		begin, err := unix.Seek(int(d.template.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil
		}
		if err != nil {
			return err
		}
		if at, err = unix.Seek(int(d.template.Fd()), begin, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(d.template, begin, at-begin)); err != nil {
			return err
		}
	}
}

// newDisk makes a disk and its folders, and returns its mount, which is not attached
// yet. The upper folder of the overlay belongs to the user.
func (d *disks) newDisk(user int) (int, error) {
	f, err := d.newFile()
	if err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	defer f.Close()
	if err := d.copyTemplate(f); err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	mount, err := volume.MountImage(f, volume.MountOptions{DirectIO: true})
	if err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	if err := populateDisk(mount, user); err != nil {
		return -1, errors.Join(fmt.Errorf("make disk: %w", err), unix.Close(mount))
	}
	return mount, nil
}

// populateDisk makes the folders of a disk.
func populateDisk(mount, user int) error {
	for _, f := range []struct {
		name string
		mode uint32
		user int
	}{
		{launcher.DiskTemporary, 0o1777, 0}, {launcher.DiskWork, 0o700, 0}, {launcher.DiskUpper, 0o755, user},
	} {
		if err := unix.Mkdirat(mount, f.name, f.mode); err != nil {
			return fmt.Errorf("make folder %s: %w", f.name, err)
		}
		if err := errors.Join(unix.Fchownat(mount, f.name, f.user, f.user, 0), unix.Fchmodat(mount, f.name, f.mode, 0)); err != nil {
			return fmt.Errorf("set up folder %s: %w", f.name, err)
		}
	}
	return nil
}

// makeCodeWritable lets a user create files in the code's folder "function", if it
// exists. It is the fallback if the code cannot be mounted as the user's own.
func makeCodeWritable(mount int, dir string, user int) error {
	const folder = "function"
	if !isFolder(filepath.Join(dir, folder)) {
		return nil
	}
	name := launcher.DiskUpper + "/" + folder
	if err := unix.Mkdirat(mount, name, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make folder %s: %w", name, err)
	}
	return unix.Fchownat(mount, name, user, user, 0)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// EXT4_IOC_SHUTDOWN, and its flag that discards unwritten data.
const (
	ioctlShutdown   = 0x8004587d
	shutdownNoFlush = 2
)

// discardDisk closes an unused disk without writing what is still in memory.
func discardDisk(mount int) {
	if root, err := unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		// If this fails, the kernel writes all data before it frees the disk.
		_ = unix.IoctlSetPointerInt(root, ioctlShutdown, shutdownNoFlush)
		_ = unix.Close(root)
	}
	_ = unix.Close(mount)
}

func (d *disks) close() error { return errors.Join(d.template.Close(), d.idmaps.close()) }
