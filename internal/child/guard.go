package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// guardName is the program name (argument 0) that makes this program run as the guard.
const guardName = "jeton-guard"

// guardTimeout is how long a write to the guard may take.
const guardTimeout = time.Second

// A guard controls the guard process, which kills the process groups of all children
// when this process has ended. The guard process reads the group ids from a pipe. Its
// end means that this process has ended: the kernel closes the pipe then.
type guard struct {
	mu      sync.Mutex
	groups  map[int]struct{}
	pipe    *os.File
	process *exec.Cmd
}

var theGuard = &guard{groups: map[int]struct{}{}}

// The guard process is this program itself, started again. It runs in init, so that
// every program that starts children, tests included, contains it without a line in
// main.
func init() {
	if os.Args[0] == guardName {
		runGuard(os.Stdin)
		os.Exit(0)
	}
}

// runGuard reads lines with the ids of groups that were started, and the negative ids of
// groups that have ended. At the end of the pipe it kills the remaining groups.
func runGuard(pipe io.Reader) {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	groups := map[int]struct{}{}
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		switch pid, _ := strconv.Atoi(lines.Text()); {
		case pid > 1:
			groups[pid] = struct{}{}
		case pid < 0:
			delete(groups, -pid)
		}
	}
	for pid := range groups {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// ensure starts the guard process if there is none. Start calls it before it starts the
// child, so that the child is guarded as soon as possible.
func (g *guard) ensure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pipe != nil {
		return nil
	}
	return g.acquire()
}

func (g *guard) add(pid int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[pid] = struct{}{}
	err := g.send(pid)
	if err != nil {
		delete(g.groups, pid)
	}
	return err
}

// remove must be called before another group can get the id pid.
func (g *guard) remove(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, pid)
	_ = g.send(-pid) // If this fails, the next add reports the error.
}

// send sends an id to the guard process. It replaces a process that has ended or hangs.
func (g *guard) send(change int) error {
	if g.pipe != nil {
		if g.write(change) == nil {
			return nil
		}
		g.release()
	}
	return g.acquire()
}

func (g *guard) write(pid int) error {
	if err := g.pipe.SetWriteDeadline(time.Now().Add(guardTimeout)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(g.pipe, pid)
	return err
}

// acquire starts a guard process and sends it the ids of all groups. It has a session of
// its own, since it must not get the signals that a terminal sends to this process's
// group.
func (g *guard) acquire() error {
	program, err := self()
	if err != nil {
		return err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reader.Close()
	process := &exec.Cmd{
		Path: program, Args: []string{guardName}, Dir: "/", Env: []string{},
		Stdin: reader, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err := process.Start(); err != nil {
		_ = writer.Close()
		return err
	}
	g.process, g.pipe = process, writer
	for pid := range g.groups {
		if err := g.write(pid); err != nil {
			g.release()
			return err
		}
	}
	return nil
}

// release kills the guard process, and then closes the pipe. In the other order the
// guard process would kill all groups.
func (g *guard) release() {
	_ = g.process.Process.Kill()
	_ = g.process.Wait() // It was killed: the error is expected.
	_ = g.pipe.Close()
	g.pipe = nil
}

// self returns the path of this program. On Linux it is valid even if the file has been
// replaced since.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
