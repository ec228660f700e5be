package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// formatTimeout bounds the run of mke2fs, which writes a few hundred KiB.
	formatTimeout = 30 * time.Second
	// block and inodeSize are those of the file system, in bytes.
	block     = 4096
	inodeSize = 256
	// attempts is how often a loop device is asked for: another process may take it
	// first.
	attempts = 16
)

// Mount makes an ext4 file system of so many bytes and entries in a new file, and
// mounts it on the folder at, without devices and set-user-id programs. It needs
// root, loop devices and mke2fs. After an error nothing is mounted, and the file may
// be there.
func Mount(ctx context.Context, image, at string, bytes, entries int64) error {
	if err := format(ctx, image, bytes, entries); err != nil {
		return fmt.Errorf("make file system %s: %w", image, err)
	}
	if err := mount(image, at); err != nil {
		return fmt.Errorf("mount file system %s: %w", image, err)
	}
	return nil
}

func format(ctx context.Context, image string, bytes, entries int64) error {
	program, err := lookUp("mke2fs")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(image, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	// What the file system needs for itself is not the build's.
	size := bytes + bytes/64 + entries*inodeSize + 16<<20
	if err := errors.Join(file.Truncate(size/block*block), file.Close()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, formatTimeout)
	defer cancel()
	// Nothing survives the build: a journal would be of no use.
	out, err := exec.CommandContext(ctx, program, "-q", "-F", "-t", "ext4", "-b", strconv.Itoa(block), "-I", strconv.Itoa(inodeSize),
		"-N", strconv.FormatInt(entries, 10), "-m", "0", "-O", "^has_journal,^resize_inode",
		"-E", "lazy_itable_init=1,nodiscard", image).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %.500s", err, out)
	}
	return nil
}

// lookUp finds a program that may be in a folder for administrators only.
func lookUp(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

func mount(image, at string) error {
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	device, err := attach(file)
	if err != nil {
		return err
	}
	// The device is let go when it is unmounted or, without a mount, here.
	defer device.Close()
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOATIME)
	if err := unix.Mount(device.Name(), at, "ext4", flags, "noinit_itable,nobarrier"); err != nil {
		return err
	}
	// Writable for the server alone, and without the folder lost+found.
	err = errors.Join(unix.Mount("", at, "", unix.MS_PRIVATE, ""), os.Remove(filepath.Join(at, "lost+found")), os.Chmod(at, 0o700))
	if err != nil {
		return errors.Join(err, Unmount(at))
	}
	return nil
}

// attach makes a loop device of a file.
func attach(file *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for attempt := 1; ; attempt++ {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("get a loop device: %w", err)
		}
		device, err := os.OpenFile("/dev/loop"+strconv.Itoa(number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(file.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		_ = device.Close() // It was not configured.
		if !errors.Is(err, unix.EBUSY) || attempt == attempts {
			return nil, fmt.Errorf("configure %s: %w", device.Name(), err)
		}
	}
}

// Unmount takes away what is mounted on a folder. One on which nothing is mounted is
// no error.
func Unmount(at string) error {
	err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}

// Used returns how many bytes and entries the file system of a folder has in use.
func Used(at string) (bytes, entries int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(at, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize, int64(s.Files - s.Ffree), nil
}
