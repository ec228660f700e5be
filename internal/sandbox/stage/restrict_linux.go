package stage

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

// InnerID is the user and group of a program that is nobody, as it sees them.
const InnerID = 1000

const (
	// mostFilesOpen is above what functions have open at once.
	mostFilesOpen = 4096
	// mostLocked bounds the memory that cannot be swapped out.
	mostLocked = 64 << 10
)

// restrict takes from this thread all that its program must not have, but for the
// system calls. What it leaves is kept across the exec that follows. Where there
// is a root folder nothing of it depends on the program, which is then waited for.
func restrict(b Blueprint, o Order) error {
	steps := []struct {
		name Step
		do   func() error
	}{
		{"limit the process", func() error { return limitProcess(b) }},
		{Capabilities, dropBounding},
		{Identity, func() error { return dropIDs(b) }},
		{Capabilities, dropCapabilities},
		{Landlock, func() error { return applyLandlock(b, o) }},
		{"die with the server", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0) }},
	}
	for _, step := range steps {
		if b.omits(step.name) {
			continue
		}
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func limitProcess(b Blueprint) error {
	set := func(resource int, limit uint64) error {
		return unix.Setrlimit(resource, &unix.Rlimit{Cur: limit, Max: limit})
	}
	err := errors.Join(
		set(unix.RLIMIT_CORE, 0),
		set(unix.RLIMIT_NOFILE, mostFilesOpen),
		set(unix.RLIMIT_MEMLOCK, mostLocked),
		set(unix.RLIMIT_MSGQUEUE, 0),
		set(unix.RLIMIT_NICE, 0),
		set(unix.RLIMIT_RTPRIO, 0),
	)
	if b.Namespaces {
		// The user has these processes alone: it is counted in its namespace.
		err = errors.Join(err, set(unix.RLIMIT_NPROC, uint64(b.Processes)))
	}
	return err
}

// dropBounding leaves no capability that a program could gain again, as the root
// user of a namespace would by each exec.
func dropBounding() error {
	for capability := 0; capability <= unix.CAP_LAST_CAP+8; capability++ {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0)
		switch {
		case errors.Is(err, unix.EINVAL): // There is none of that number.
			return nil
		case errors.Is(err, unix.EPERM):
			// Outside of namespaces there may be none to drop, nor the right to.
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// dropIDs leaves the user that the stage is.
func dropIDs(b Blueprint) error {
	if !b.Nobody {
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

// landlockFor is the newest set of Landlock's rules that the kernel has, all of
// it: a part would be taken for the whole.
func landlockFor(namespaces bool) (landlock.Config, error) {
	versions := []landlock.Config{
		landlock.V1, landlock.V2, landlock.V3, landlock.V4, landlock.V5, landlock.V6, landlock.V7,
	}
	// Without namespaces nothing else is between it and others' TCP ports,
	// abstract sockets and signals.
	needed := 1
	if !namespaces {
		needed = 6
	}
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < needed {
		return landlock.Config{}, fmt.Errorf("the kernel has version %d of Landlock, and %d is needed", max(abi, 0), needed)
	}
	return versions[min(abi, len(versions))-1], nil
}

// writableDevices are those of the machine's that Landlock lets programs write to.
// There is nothing to be had from writing to /dev/full, by which Landlock is seen
// to hold.
var writableDevices = []string{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"}

func applyLandlock(b Blueprint, o Order) error {
	config, err := landlockFor(b.Namespaces)
	if err != nil {
		return err
	}
	if b.Namespaces {
		// The network namespace and its firewall say who can be reached.
		return config.RestrictPaths(
			landlock.RODirs("/"),
			landlock.RWDirs(b.writable()...).WithRefer(),
			landlock.RWFiles(writableDevices...),
		)
	}
	// What is neither a rule's nor below one is denied: all TCP, and all sockets
	// and signals of others.
	folders, files := sort(o.Readable)
	return config.Restrict(
		landlock.RODirs(append(folders, "/proc/self")...),
		landlock.ROFiles(files...),
		landlock.RWDirs(o.Writable...).WithRefer(),
		landlock.RWFiles(writableDevices...),
	)
}

// writable are the folders that the program may change. What is mounted on a
// folder later counts as below the folder around it.
func (b Blueprint) writable() []string {
	folders := append([]string{"/tmp"}, b.Writable...)
	if b.Disk {
		folders = append(folders, SharedMemory, path.Dir(b.Home))
	}
	return folders
}

// sort tells folders from files, and leaves out what is not there.
func sort(paths []string) (folders, files []string) {
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
