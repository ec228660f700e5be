package launcher

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// InnerID is the user and group id of an unprivileged program in its user namespace.
const InnerID = 1000

const (
	// maxOpenFiles is more than functions have open at the same time.
	maxOpenFiles = 4096
	// maxLockedMemory bounds the memory that cannot be swapped out, in bytes.
	maxLockedMemory = 64 << 10
)

// restrict applies all restrictions except the seccomp filters to this thread. They
// persist across the exec. With namespaces they do not depend on the Order.
func restrict(c Config, o Order) error {
	steps := []struct {
		name Step
		do   func() error
	}{
		{"limit the process", func() error { return limitProcess(c) }},
		{Capabilities, dropBounding},
		{Identity, func() error { return dropIDs(c) }},
		{Capabilities, dropCapabilities},
		{Landlock, func() error { return applyLandlock(c, o) }},
		{"set parent death signal", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) }},
	}
	for _, step := range steps {
		if c.omits(step.name) {
			continue
		}
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func limitProcess(c Config) error {
	set := func(resource int, limit uint64) error {
		return unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit})
	}
	err := errors.Join(
		set(unix.RLIMIT_CORE, 0),
		set(unix.RLIMIT_NOFILE, maxOpenFiles),
		set(unix.RLIMIT_MEMLOCK, maxLockedMemory),
		set(unix.RLIMIT_MSGQUEUE, 0),
		set(unix.RLIMIT_NICE, 0),
		set(unix.RLIMIT_RTPRIO, 0),
	)
	if c.Namespaces {
		// The kernel counts the user's processes in its own user namespace.
		err = errors.Join(err, set(unix.RLIMIT_NPROC, uint64(c.Processes)))
	}
	return err
}

// dropBounding empties the capability bounding set. Otherwise the root user of a user
// namespace gains all capabilities again with each exec.
func dropBounding() error {
	for capability := 0; capability <= unix.CAP_LAST_CAP+8; capability++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL): // The kernel has no capability of this number.
			return nil
		case errors.Is(err, unix.EPERM):
			// Outside of namespaces an unprivileged process must not drop any, and has none.
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// dropIDs switches from the launcher's user to InnerID.
func dropIDs(c Config) error {
	if !c.DropUser {
		return nil
	}
	if err := syscall.Setgroups(nil); err != nil {
		return err
	}
	if err := syscall.Setresgid(InnerID, InnerID, InnerID); err != nil {
		return err
	}
	return syscall.Setresuid(InnerID, InnerID, InnerID)
}

func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}

// landlockFor returns the newest Landlock configuration that the kernel supports
// completely, or an error if the kernel lacks rules that the sandbox depends on.
func landlockFor(namespaces bool) (landlock.Config, error) {
	versions := []landlock.Config{
		landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6, landlock.V7,
	}
	// Without namespaces only Landlock denies TCP, abstract sockets and signals of
	// other processes, from version 6 on.
	needed := 1
	if !namespaces {
		needed = 6
	}
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < needed {
		return landlock.Config{}, fmt.Errorf("the kernel has Landlock version %d: want %d or newer", max(abi, 0), needed)
	}
	return versions[min(abi, len(versions))-1], nil
}

// writableDevices are the devices that Landlock lets programs write to. /dev/full is
// not one of them: the probe tests Landlock with it.
var writableDevices = []string{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"}

func applyLandlock(c Config, o Order) error {
	config, err := landlockFor(c.Namespaces)
	if err != nil {
		return err
	}
	if c.Namespaces {
		// The network namespace restricts the network.
		return config.RestrictPaths(
			landlock.RODirs("/"),
			landlock.RWDirs(c.writable()...).WithRefer(),
			landlock.RWFiles(writableDevices...),
		)
	}
	// Landlock denies everything else: TCP, and sockets and signals of other processes.
	folders, files := splitByKind(o.Readable)
	return config.Restrict(
		landlock.RODirs(append(folders, "/proc/self")...),
		landlock.ROFiles(files...),
		landlock.RWDirs(o.Writable...).WithRefer(),
		landlock.RWFiles(writableDevices...),
	)
}

// writable returns the folders that the program may change. Home is mounted later:
// Landlock takes a new mount as part of the folder that it is mounted in.
func (c Config) writable() []string {
	folders := append([]string{"/tmp"}, c.Writable...)
	if c.Disk {
		folders = append(folders, SharedMemory, path.Dir(c.Home))
	}
	return folders
}

// splitByKind separates folders from files, and drops paths that do not exist.
func splitByKind(paths []string) (folders, files []string) {
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case info.IsDir():
			folders = append(folders, path)
		default:
			files = append(files, path)
		}
	}
	return folders, files
}
