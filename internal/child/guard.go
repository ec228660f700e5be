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

// guardName is the program's name by which it knows that it is the guard.
const guardName = "jeton-guard"

// patience is how long the guard may take to read what it is told.
const patience = time.Second

// A guard is a process beside this one that kills the groups of this one's
// children once this one is gone. It learns of that by the end of the pipe
// through which it is told of them, which the kernel closes however a process
// ends.
type guard struct {
	mu      sync.Mutex
	groups  map[int]struct{}
	pipe    *os.File
	process *exec.Cmd
}

var theGuard = &guard{groups: map[int]struct{}{}}

// The guard is this program itself, started again. It takes its turn before main
// so that each program that starts children, a test too, has it without a line
// for it in its main.
func init() {
	if os.Args[0] == guardName {
		keepGuard(os.Stdin)
		os.Exit(0)
	}
}

// keepGuard reads the numbers of groups that begin, and those of groups that
// have ended, negative, and kills what remains at the end.
func keepGuard(pipe io.Reader) {
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

// ready has the guard there before a child is, for it takes a while to start.
func (g *guard) ready() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pipe != nil {
		return nil
	}
	return g.hire()
}

func (g *guard) add(pid int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.groups[pid] = struct{}{}
	err := g.tell(pid)
	if err != nil {
		delete(g.groups, pid)
	}
	return err
}

// remove is called before the number of the group can become another's.
func (g *guard) remove(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.groups, pid)
	_ = g.tell(-pid) // The next group to be added says what is wrong.
}

// tell has the guard know of a change. One that has died, or that hangs, is
// replaced by another one.
func (g *guard) tell(change int) error {
	if g.pipe != nil {
		if g.write(change) == nil {
			return nil
		}
		g.dismiss()
	}
	return g.hire()
}

func (g *guard) write(pid int) error {
	if err := g.pipe.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(g.pipe, pid)
	return err
}

// hire starts a guard that knows of all groups, in a session of its own, for it
// must outlive what a terminal sends to this process's group.
func (g *guard) hire() error {
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
			g.dismiss()
			return err
		}
	}
	return nil
}

// dismiss kills the guard before it closes the pipe, by whose end the guard
// would take this process for dead.
func (g *guard) dismiss() {
	_ = g.process.Process.Kill()
	_ = g.process.Wait() // It was killed, which is no news.
	_ = g.pipe.Close()
	g.pipe = nil
}

// self is this program, on Linux even if its file has been replaced since.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}
