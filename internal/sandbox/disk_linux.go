package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// disks makes file systems of one size, each in a file without a name: when the
// last process that uses one has ended, however it ended, the kernel frees it.
type disks struct {
	dir  string
	size int64
	// template is an empty file system, of which each is a copy.
	template *os.File
	owners   *owners
}

// openDisks makes the template in a folder.
func openDisks(dir string, size int64) (*disks, error) {
	if size < LeastDisk {
		return nil, fmt.Errorf("make disks of %d bytes: want %d at least", size, LeastDisk)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make disks: %w", err)
	}
	d := &disks{dir: dir, size: size, owners: newOwners()}
	var err error
	if d.template, err = d.newFile(); err != nil {
		return nil, fmt.Errorf("make disks in %s: %w", dir, err)
	}
	if err := d.format(); err != nil {
		return nil, errors.Join(fmt.Errorf("make disks: %w", err), d.close())
	}
	return d, nil
}

// format makes the file system: without a journal, for it never outlives a crash.
func (d *disks) format() error {
	program, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		// A service may have a PATH without the programs of administrators.
		program = "/sbin/mkfs.ext4"
	}
	var complaint strings.Builder
	cmd := &exec.Cmd{
		Path: program, Dir: "/", ExtraFiles: []*os.File{d.template}, Stderr: &complaint, Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
		Args: []string{
			program, "-q", "-F", "-O", "^has_journal,^resize_inode", "-m", "0",
			"-E", "lazy_itable_init=1,nodiscard,root_owner=0:0", "/proc/self/fd/3",
		},
	}
	group, err := child.Start(cmd)
	if err == nil {
		err = group.Wait()
	}
	if err != nil {
		return fmt.Errorf("run %s (of e2fsprogs): %w: %.300s", program, err, strings.TrimSpace(complaint.String()))
	}
	return nil
}

// newFile makes a file without a name, all of it a hole.
func (d *disks) newFile() (*os.File, error) {
	fd, err := unix.Open(d.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a file without a name: %w", err)
	}
	f := os.NewFile(uintptr(fd), "disk")
	if err := f.Truncate(d.size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// copyTemplate copies what of the template is not a hole.
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

// newDisk makes a file system for a sandbox, with the folders in it, and returns
// its mount, which is nowhere yet. Some of the folders are the user's.
func (d *disks) newDisk(user int) (int, error) {
	f, err := d.newFile()
	if err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	defer f.Close()
	if err := d.copyTemplate(f); err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	loop, err := attachLoop(f)
	if err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	// The mount holds the device from here on, and the device the file.
	defer loop.Close()
	mount, err := mountDisk(loop.Name())
	if err != nil {
		return -1, fmt.Errorf("make disk: %w", err)
	}
	if err := furnishDisk(mount, user); err != nil {
		return -1, errors.Join(fmt.Errorf("make disk: %w", err), unix.Close(mount))
	}
	return mount, nil
}

// attachLoop makes a block device of a file, which ends with the last use of it.
func attachLoop(f *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (load the kernel module loop)", err)
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(f.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_DIRECT_IO}}
	for {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		loop, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &config)
		if err == nil {
			return loop, nil
		}
		_ = loop.Close()
		if !errors.Is(err, unix.EBUSY) { // Another process was faster.
			return nil, fmt.Errorf("set up a loop device: %w", err)
		}
	}
}

func mountDisk(device string) (int, error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open ext4: %w", err)
	}
	defer func() { _ = unix.Close(fs) }()
	err = unix.FsconfigSetString(fs, "source", device)
	if err == nil {
		err = unix.FsconfigSetFlag(fs, "noinit_itable")
	}
	if err == nil {
		err = unix.FsconfigCreate(fs)
	}
	if err != nil {
		return -1, fmt.Errorf("mount %s: %w", device, err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
	if err != nil {
		return -1, fmt.Errorf("mount %s: %w", device, err)
	}
	return mount, nil
}

// furnishDisk makes the folders of a disk.
func furnishDisk(mount, user int) error {
	for _, f := range []struct {
		name string
		mode uint32
		user int
	}{
		{stage.DiskTemporary, 0o1777, 0}, {stage.DiskWork, 0o700, 0}, {stage.DiskUpper, 0o755, user},
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

// openCode lets a user make files in the folder of the code, if there is one, where
// the code itself cannot be shown as the user's own.
func openCode(mount int, dir string, user int) error {
	const folder = "function"
	if !isFolder(filepath.Join(dir, folder)) {
		return nil
	}
	name := stage.DiskUpper + "/" + folder
	if err := unix.Mkdirat(mount, name, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("make folder %s: %w", name, err)
	}
	return unix.Fchownat(mount, name, user, user, 0)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// EXT4_IOC_SHUTDOWN, and its flag by which nothing more is written.
const (
	ioctlShutdown   = 0x8004587d
	shutdownNoFlush = 2
)

// discardDisk takes down a disk that nobody uses any more: what was not written
// yet need not be.
func discardDisk(mount int) {
	if root, err := unix.Openat(mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
		// If it fails, all is written, and then freed.
		_ = unix.IoctlSetPointerInt(root, ioctlShutdown, shutdownNoFlush)
		_ = unix.Close(root)
	}
	_ = unix.Close(mount)
}

func (d *disks) close() error { return errors.Join(d.template.Close(), d.owners.close()) }
