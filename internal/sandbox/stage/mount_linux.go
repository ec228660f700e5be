package stage

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// A Mount is one folder or file that is visible inside.
type Mount struct {
	// Source is the path outside, for a stage that opens it by itself, and
	// Target the one inside.
	Source string `json:"source"`
	Target string `json:"target"`
	// Link is what the path leads to, if it is a symbolic link.
	Link string `json:"link,omitempty"`
	// Folder tells a folder from a file.
	Folder bool `json:"folder"`
	// Owned is true for what the program may treat as its own, Writable for what
	// may be changed, and Device for what may be written to, as the devices of
	// /dev.
	Owned    bool `json:"owned,omitempty"`
	Writable bool `json:"writable,omitempty"`
	Device   bool `json:"device,omitempty"`
	// Cover is true for what is put over a file that is visible already.
	Cover bool `json:"cover,omitempty"`
}

// Open makes a mount of its own of the source, which is nowhere yet. It can be
// read only, unless it is to be writable, and has no set-user-id and, but for a
// device itself, no devices. With users, a user namespace, what is owned and belongs
// to root belongs to root of that namespace.
func (m Mount) Open(users *os.File) (fd int, err error) {
	fd, err = unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return -1, fmt.Errorf("open %s for the sandbox: %w", m.Source, err)
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
		return -1, errors.Join(fmt.Errorf("set what may be done with %s: %w", m.Source, err), unix.Close(fd))
	}
	return fd, nil
}

// Attach puts an opened mount in its place. It takes the file descriptor over.
func (m Mount) Attach(fd int, root string) error {
	defer func() { _ = unix.Close(fd) }()
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, root+m.Target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	return nil
}
