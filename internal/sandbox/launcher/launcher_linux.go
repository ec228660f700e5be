package launcher

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Name is the program name (argument 0) that makes this program run as a launcher.
// Argument 1 is the file descriptor number of the control socket.
const Name = "jeton-sandbox"

// The launcher is this program itself, started again. It runs in init, so that every
// program that makes sandboxes, tests included, contains it without a line in main,
// and so that it starts before most packages are initialized.
func init() {
	if os.Args[0] != Name {
		return
	}
	// Restrictions apply to a thread. This thread executes the program.
	runtime.LockOSThread()
	err := run()
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(Failed)
}

// Failed is the exit status of a launcher that could not execute a program.
const Failed = 125

// run returns only after an error.
func run() error {
	number, err := strconv.Atoi(slices.Concat(os.Args, []string{""})[1])
	if err != nil {
		return errors.New("read control socket number: not a number: only the server starts the launcher")
	}
	unix.CloseOnExec(number)
	// A thread that blocks in the kernel loses its Go processor, and gets it back a
	// tenth of a millisecond late.
	if err := unix.SetNonblock(number, true); err != nil {
		return err
	}
	control := os.NewFile(uintptr(number), "control")
	text, files, err := receive(control)
	if err != nil {
		return err
	}
	var c Config
	if err := json.Unmarshal(text, &c); err != nil {
		return fmt.Errorf("decode config: %w", err)
	}
	if files, err = joinCgroup(c.CgroupFiles, files); err != nil {
		return err
	}
	var interfaces []int
	if c.Tunnel != nil {
		// The root folder of the sandbox has no device for interfaces.
		fd, err := makeInterface(*c.Tunnel)
		if err != nil {
			return fmt.Errorf("make network interface: %w", err)
		}
		interfaces = append(interfaces, fd)
	}
	if c.Namespaces {
		if err := isolate(c, files); err != nil {
			return err
		}
	}
	if err := answer(number, interfaces); err != nil {
		return err
	}
	body, _, err := receive(control)
	if err != nil {
		// The server discarded this sandbox, or has ended.
		os.Exit(0)
	}
	o, err := decodeOrder(body)
	if err != nil {
		return err
	}
	return execute(c, o, number)
}

// answer sends Ready and files, and closes the files.
func answer(control int, files []int) error {
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	if err := unix.Sendmsg(control, []byte{Ready}, rights, nil, 0); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	for _, fd := range files {
		_ = unix.Close(fd)
	}
	return nil
}

// isolate sets up all layers that do not depend on the program.
func isolate(c Config, mounts []int) error {
	if err := setUpNamespaces(c, mounts); err != nil {
		return err
	}
	if err := restrict(c, Order{}); err != nil {
		return err
	}
	if err := applyFilter(c, Filter, c.Filter); err != nil {
		return err
	}
	return unmapFilePages()
}

// joinCgroup moves this thread, which executes the program, into the sandbox's cgroup.
// The first n files are the task files of that cgroup; it returns the others. The
// other threads end at the exec.
func joinCgroup(n int, files []int) (others []int, err error) {
	if n > len(files) {
		return nil, fmt.Errorf("join cgroup: got %d files, want at least %d", len(files), n)
	}
	for _, fd := range files[:n] {
		_, err := unix.Write(fd, []byte("0"))
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			return nil, fmt.Errorf("join cgroup: %w", err)
		}
	}
	return files[n:], nil
}

func setUpNamespaces(c Config, mounts []int) error {
	if err := unix.Sethostname([]byte(c.Hostname)); err != nil {
		return fmt.Errorf("set hostname: %w", err)
	}
	// The process joined its cgroup after it was started: the new namespace makes
	// that cgroup the root of what the program sees.
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("make cgroup namespace: %w", err)
	}
	if !c.omits(Loopback) {
		if err := bringUpLoopback(); err != nil {
			return err
		}
	}
	return buildRoot(c, mounts)
}

func bringUpLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", Loopback, err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("%s: %w", Loopback, err)
	}
	return nil
}

// execute replaces this process by the program. It returns only after an error.
func execute(c Config, o Order, control int) error {
	if err := unix.Chdir(o.Dir); err != nil {
		return fmt.Errorf("change to %s: %w", o.Dir, err)
	}
	if o.Assigned {
		if _, err := unix.FcntlInt(uintptr(control), unix.F_SETFD, 0); err != nil {
			return err
		}
		if err := unix.SetNonblock(control, false); err != nil {
			return err
		}
	}
	unix.Umask(0o022)
	if !c.Namespaces {
		if err := restrict(c, o); err != nil {
			return err
		}
	}
	if err := applyFilter(c, SecondFilter, o.Filter); err != nil {
		return err
	}
	return fmt.Errorf("execute %s: %w", o.Path, unix.Exec(o.Path, o.Args, o.Env))
}
