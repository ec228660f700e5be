package launcher

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Mount is a folder or file that is visible in the sandbox.
type Mount struct {
	// Source is the path on the machine, for a launcher that opens it itself. Target
	// is the path in the sandbox.
	Source string `json:"source"`
	Target string `json:"target"`
	// Link is the target of the symbolic link to make; empty for a mount.
	Link string `json:"link,omitempty"`
	// Folder is true for a folder and false for a file.
	Folder bool `json:"folder"`
	// Owned shows root's files as the program's own, Writable allows changes, and
	// Device allows writes to a device.
	Owned    bool `json:"owned,omitempty"`
	Writable bool `json:"writable,omitempty"`
	Device   bool `json:"device,omitempty"`
	// Cover is true if Target exists already and the mount hides it.
	Cover bool `json:"cover,omitempty"`
}

// Open returns the descriptor of a new mount of the source that is not attached yet.
// The mount is read-only unless Writable or Device is set, ignores set-user-id bits,
// and has no devices unless Device is set. If users, a user namespace, is not nil,
// an Owned mount maps root's files to root of that namespace.
func (m Mount) Open(users *os.File) (fd int, err error) {
	fd, err = unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return -1, fmt.Errorf("open mount %s: %w", m.Source, err)
	}
	attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID}
	switch {
	case m.Device:
		attributes.Attr_set |= unix.MOUNT_ATTR_NOEXEC
	case m.Writable:
		attributes.Attr_set |= unix.MOUNT_ATTR_NODEV
	default:
		attributes.Attr_set |= unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV
	}
	if m.Owned && users != nil {
		attributes.Attr_set |= unix.MOUNT_ATTR_IDMAP
		attributes.Userns_fd = uint64(users.Fd())
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attributes); err != nil {
		return -1, errors.Join(fmt.Errorf("set attributes of mount %s: %w", m.Source, err), unix.Close(fd))
	}
	return fd, nil
}

// Attach attaches an opened mount to its Target below root, and closes the descriptor.
func (m Mount) Attach(fd int, root string) error {
	defer func() { _ = unix.Close(fd) }()
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, root+m.Target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	return nil
}
