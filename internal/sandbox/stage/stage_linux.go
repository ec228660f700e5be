package stage

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

// Name is the program's name by which it knows that it is a stage. Its argument is
// the number of the control socket.
const Name = "jeton-sandbox"

// The stage is this program itself, started again. It takes its turn before main,
// and before most packages are set up, so that each program that makes sandboxes,
// a test too, has it without a line for it in its main, and soon.
func init() {
	if os.Args[0] != Name {
		return
	}
	// What is taken from a thread is taken from the one that becomes the program.
	runtime.LockOSThread()
	err := run()
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(Failed)
}

// Failed is the exit status of a stage that did not become a program.
const Failed = 125

// run returns only if something went wrong.
func run() error {
	number, err := strconv.Atoi(slices.Concat(os.Args, []string{""})[1])
	if err != nil {
		return errors.New("the stage is started by the server only")
	}
	unix.CloseOnExec(number)
	// A thread that waited in the kernel would lose its place to another one, and
	// get it back a tenth of a millisecond late.
	if err := unix.SetNonblock(number, true); err != nil {
		return err
	}
	control := os.NewFile(uintptr(number), "control")
	text, opened, err := receive(control)
	if err != nil {
		return err
	}
	var b Blueprint
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	if opened, err = join(b.Doors, opened); err != nil {
		return err
	}
	if b.Namespaces {
		if err := buildWalls(b, opened); err != nil {
			return err
		}
		if err := restrict(b, Order{}); err != nil {
			return err
		}
		if err := applyFilter(b, Filter, b.Filter); err != nil {
			return err
		}
		if err := shrink(); err != nil {
			return err
		}
	}
	if _, err := control.Write([]byte{Built}); err != nil {
		return err
	}
	body, _, err := receive(control)
	if err != nil {
		// The server has no use for this sandbox any more, or is gone.
		os.Exit(0)
	}
	o, err := decodeOrder(body)
	if err != nil {
		return err
	}
	return become(b, o, number)
}

// join has this thread, which becomes the program, be in its cgroup: the others end
// before that.
func join(doors int, opened []int) (others []int, err error) {
	if doors > len(opened) {
		return nil, errors.New("fewer files than doors came from the server")
	}
	for _, door := range opened[:doors] {
		_, err := unix.Write(door, []byte("0"))
		if err := errors.Join(err, unix.Close(door)); err != nil {
			return nil, fmt.Errorf("join cgroup: %w", err)
		}
	}
	return opened[doors:], nil
}

func buildWalls(b Blueprint, opened []int) error {
	if err := unix.Sethostname([]byte(b.Hostname)); err != nil {
		return fmt.Errorf("name the sandbox: %w", err)
	}
	// It joined its cgroup after it was made: from here that is the root of all.
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("hide the cgroups of others: %w", err)
	}
	if !b.omits(Loopback) {
		if err := raiseLoopback(); err != nil {
			return err
		}
	}
	return buildRoot(b, opened)
}

func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("raise the loopback interface: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("raise the loopback interface: %w", err)
	}
	return nil
}

func become(b Blueprint, o Order, control int) error {
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
	if !b.Namespaces {
		if err := restrict(b, o); err != nil {
			return err
		}
	}
	if err := applyFilter(b, SecondFilter, o.Filter); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", o.Path, unix.Exec(o.Path, o.Args, o.Env))
}
