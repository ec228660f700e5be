package volume

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Mount makes an ext4 file system for the given number of bytes and entries in a new
// file, image, and mounts it on the folder at, without devices and set-user-id
// programs. After an error nothing is mounted, but the file may exist.
func Mount(ctx context.Context, image, at string, bytes, entries int64) error {
	file, err := os.OpenFile(image, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("make file system: %w", err)
	}
	// The mount keeps the file in use.
	defer file.Close()
	// The file system's own structures do not count against the build.
	size := bytes + bytes/64 + entries*inodeSize + 16<<20
	if err := file.Truncate(size / blockSize * blockSize); err != nil {
		return fmt.Errorf("make file system: %w", err)
	}
	if err := FormatImage(ctx, file, entries); err != nil {
		return fmt.Errorf("make file system %s: %w", image, err)
	}
	if err := mountAt(file, at); err != nil {
		return fmt.Errorf("mount file system %s: %w", image, err)
	}
	return nil
}

func mountAt(image *os.File, at string) error {
	mount, err := MountImage(image, MountOptions{NoBarrier: true, NoAccessTime: true})
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(mount) }()
	// Only the server may write to the root folder, which starts empty.
	err = errors.Join(unix.Unlinkat(mount, "lost+found", unix.AT_REMOVEDIR), unix.Fchmodat(mount, ".", 0o700, 0))
	if err != nil {
		return err
	}
	if err := unix.MoveMount(mount, "", unix.AT_FDCWD, at, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("attach to %s: %w", at, err)
	}
	if err := unix.Mount("", at, "", unix.MS_PRIVATE, ""); err != nil {
		return errors.Join(err, Unmount(at))
	}
	return nil
}

// Unmount unmounts what is mounted on a folder. It returns nil if nothing is mounted
// there.
func Unmount(at string) error {
	err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EPERM) {
		return nil
	}
	return err
}

// Used returns the number of bytes and entries in use on the file system of a folder.
func Used(at string) (bytes, entries int64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(at, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Blocks-s.Bfree) * s.Bsize, int64(s.Files - s.Ffree), nil
}
