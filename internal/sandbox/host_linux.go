package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// A Host makes sandboxes of one level on this machine. Its methods are safe for
// concurrent use, except OpenDisks and Close.
type Host struct {
	level   Level
	cgroups *cgroupParent
	disks   *disks
	ids     ids
	serial  atomic.Int64
	prefix  string
}

// Open returns a host for a level. The name must be a valid file name that no other
// host of this machine uses at this time. Open does not test the isolation layers: see
// Prove. The caller calls Close after all sandboxes have ended.
func Open(level Level, name string) (*Host, error) {
	if level == None {
		return nil, errors.New("open sandbox host: isolation level none has no sandboxes")
	}
	h := &Host{level: level, prefix: name}
	if level == User && os.Geteuid() == 0 {
		return nil, errors.New("isolation level user would run instances as root outside of their namespaces: " +
			"choose --isolation=full, or run the server as another user")
	}
	if level != Full {
		return h, nil
	}
	if os.Geteuid() != 0 {
		return nil, errors.New("isolation level full needs root: run the server as root, or choose --isolation=user, where " + User.Lacks())
	}
	var err error
	if h.cgroups, err = openCgroups(name); err != nil {
		return nil, err
	}
	return h, nil
}

// Level returns the level of the host's sandboxes.
func (h *Host) Level() Level { return h.level }

// CanMountCode reports whether Sandbox.MountCode works, so that a warm sandbox can be
// started before its code is known.
func (h *Host) CanMountCode() bool { return h.level == Full }

// Connects returns an error if sandboxes of the level cannot have a network.
func (h *Host) Connects() error {
	switch h.level {
	case Full:
		return nil
	case User:
		if err := CheckTunnel(); err != nil {
			return fmt.Errorf("isolation level %s has no network: %w", h.level, err)
		}
		return nil
	default:
		return fmt.Errorf("isolation level %s has no network", h.level)
	}
}

// CheckTunnel returns an error, with what to do, if this user cannot open the device that makes the
// network interfaces of sandboxes.
func CheckTunnel() error {
	device, err := os.OpenFile(launcher.TunnelDevice, os.O_RDWR, 0)
	switch {
	case err == nil:
		return device.Close()
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: as root, run chmod 0666 %s and make it permanent with the udev rule KERNEL==\"tun\", MODE=\"0666\"", err, launcher.TunnelDevice)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: as root, run modprobe tun; for a container, add --device %s", err, launcher.TunnelDevice)
	}
	return fmt.Errorf("%w: load the kernel module tun; for a container, add --device %s", err, launcher.TunnelDevice)
}

// OpenDisks gives later sandboxes disks of a size in bytes, if their Layout asks for
// one. A disk takes space from the file system of dir as it fills. OpenDisks needs level
// Full, mke2fs and loop devices. Call it before the first Start.
func (h *Host) OpenDisks(dir string, size int64) error {
	if h.level != Full {
		return fmt.Errorf("isolation level %s has no disks: want %s", h.level, Full)
	}
	var err error
	h.disks, err = openDisks(dir, size)
	return err
}

// DiskSpace returns the free space and the size, in bytes, of the file system that has
// the disks. Call OpenDisks first.
func (h *Host) DiskSpace() (free, size int64, err error) {
	var f unix.Statfs_t
	if err := unix.Fstatfs(int(h.disks.template.Fd()), &f); err != nil {
		return 0, 0, fmt.Errorf("read the free space for disks: %w", err)
	}
	return int64(f.Bavail) * f.Bsize, int64(f.Blocks) * f.Bsize, nil
}

// Close removes the cgroups and the disk template of the host.
func (h *Host) Close() error {
	var err error
	if h.disks != nil {
		err = h.disks.close()
	}
	if h.cgroups != nil {
		err = errors.Join(err, h.cgroups.remove())
	}
	return err
}

func (h *Host) newID() string { return fmt.Sprintf("%s-%d", h.prefix, h.serial.Add(1)) }

// Default returns the highest level that the user of this process can have: Full for
// root, otherwise User.
func Default() (Level, error) {
	if os.Geteuid() == 0 {
		return Full, nil
	}
	return User, nil
}
