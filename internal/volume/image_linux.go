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
	// blockSize and inodeSize are in bytes.
	blockSize = 4096
	inodeSize = 256
	// loopAttempts bounds the retries when another process takes the free loop
	// device first.
	loopAttempts = 256
)

// FormatImage makes an empty ext4 file system in an image file, which has its final
// size. entries is the number of files and folders that fit; with 0, mke2fs chooses it
// from the size. The file system has no journal: it is not used after a crash.
func FormatImage(ctx context.Context, image *os.File, entries int64) error {
	program, err := findTool("mke2fs")
	if err != nil {
		return fmt.Errorf("find mke2fs (install e2fsprogs): %w", err)
	}
	args := []string{
		"-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal,^resize_inode",
		"-E", "lazy_itable_init=1,nodiscard,root_owner=0:0",
	}
	if entries > 0 {
		args = append(args, "-b", strconv.Itoa(blockSize), "-I", strconv.Itoa(inodeSize), "-N", strconv.FormatInt(entries, 10))
	}
	ctx, cancel := context.WithTimeout(ctx, formatTimeout)
	defer cancel()
	// The image may have no name: mke2fs opens it by its descriptor.
	cmd := exec.CommandContext(ctx, program, append(args, "/proc/self/fd/3")...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, []*os.File{image}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("run %s: %w: %.500s", program, err, out)
	}
	return nil
}

// findTool returns the path of an administrator's program. Services may have a PATH
// without the sbin folders.
func findTool(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return exec.LookPath(name)
}

// MountOptions change how MountImage mounts an image. The zero value mounts it with
// the kernel's defaults.
type MountOptions struct {
	// DirectIO bypasses the page cache of the file system that holds the image.
	DirectIO bool
	// NoBarrier omits write barriers: the content may be lost in a crash.
	NoBarrier bool
	// NoAccessTime does not record access times.
	NoAccessTime bool
}

// MountImage mounts the ext4 file system of an image, without devices and set-user-id
// programs, and returns the descriptor of a mount that is not attached to any folder.
// The kernel frees the loop device with the last use of the mount, and the image, if
// it has no name, with the loop device. The caller closes the descriptor.
func MountImage(image *os.File, o MountOptions) (int, error) {
	device, err := attachLoop(image, o.DirectIO)
	if err != nil {
		return -1, err
	}
	// The mount keeps the device in use. Without a mount, the device is freed here.
	defer device.Close()
	mount, err := mountDevice(device.Name(), o)
	if err != nil {
		return -1, fmt.Errorf("mount %s: %w", device.Name(), err)
	}
	return mount, nil
}

func mountDevice(device string, o MountOptions) (int, error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("open ext4: %w", err)
	}
	defer func() { _ = unix.Close(fs) }()
	options := []string{"noinit_itable"}
	if o.NoBarrier {
		options = append(options, "nobarrier")
	}
	err = unix.FsconfigSetString(fs, "source", device)
	for _, option := range options {
		err = errors.Join(err, unix.FsconfigSetFlag(fs, option))
	}
	if err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	attributes := unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV
	if o.NoAccessTime {
		attributes |= unix.MOUNT_ATTR_NOATIME
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, attributes)
}

// attachLoop connects a file to a free loop device, which the kernel frees with the
// last use of it.
func attachLoop(image *os.File, directIO bool) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w (load the kernel module loop)", err)
	}
	defer control.Close()
	config := unix.LoopConfig{Fd: uint32(image.Fd()), Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	if directIO {
		config.Info.Flags |= unix.LO_FLAGS_DIRECT_IO
	}
	for attempt := 1; ; attempt++ {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find a free loop device: %w", err)
		}
		device, err := os.OpenFile("/dev/loop"+strconv.Itoa(number), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, nil
		}
		_ = device.Close() // It was not configured.
		// EBUSY: another process has taken the device.
		if !errors.Is(err, unix.EBUSY) || attempt == loopAttempts {
			return nil, fmt.Errorf("configure %s: %w", device.Name(), err)
		}
	}
}
