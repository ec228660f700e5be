package sandbox

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

// stageName is the program's name by which it knows that it is the stage of a
// sandbox: the process that builds the walls around itself, from inside, and
// becomes the program.
const stageName = "jeton-sandbox"

// The stage is this program itself, started again. It takes its turn before main,
// and before most packages are set up, so that each program that makes sandboxes,
// a test too, has it without a line for it in its main, and soon.
func init() {
	if os.Args[0] != stageName {
		return
	}
	// What is taken from a thread is taken from the one that becomes the program.
	runtime.LockOSThread()
	err := runStage()
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(stageFailed)
}

// stageFailed is the exit status of a stage that did not become a program.
const stageFailed = 125

// runStage returns only if something went wrong.
func runStage() error {
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
	var b blueprint
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	if b.Level.namespaced() {
		if err := buildWalls(b, opened); err != nil {
			return err
		}
		if err := restrict(b, Program{}); err != nil {
			return err
		}
		if err := applySeccomp(b, b.Filter); err != nil {
			return err
		}
		if err := shrink(); err != nil {
			return err
		}
	}
	if _, err := control.Write([]byte{built}); err != nil {
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

func buildWalls(b blueprint, opened []int) error {
	if err := unix.Sethostname([]byte(b.Hostname)); err != nil {
		return fmt.Errorf("name the sandbox: %w", err)
	}
	// It joined its cgroup after it was made: from here that is the root of all.
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("hide the cgroups of others: %w", err)
	}
	if b.Without != layerNetwork && b.Without != layerSockets {
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

func become(b blueprint, o order, control int) error {
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
	if !b.Level.namespaced() {
		if err := restrict(b, o.Program); err != nil {
			return err
		}
	}
	if err := applySeccomp(b, o.Filter); err != nil {
		return err
	}
	return fmt.Errorf("start %s: %w", o.Path, unix.Exec(o.Path, o.Args, o.Env))
}
