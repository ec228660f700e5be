package child

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// A Group is a child process and those that it started, as far as they stayed in
// its process group.
type Group struct {
	cmd *exec.Cmd

	mu     sync.Mutex
	reaped bool
}

// theStarter starts all children from one thread that lives as long as this
// process: Linux sends the signal of a parent's death when the thread that made
// the child ends, which any other thread of a Go program may do at any time.
var theStarter = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
	return starts
})

// Start starts a command as the leader of a group of its own. The command has no
// context: Signal ends it. When memory runs out the kernel kills children before
// this process. The caller calls Wait. What the
// child itself starts before Start returns, some microseconds after it began,
// would outlive this process if that were killed just then.
func Start(cmd *exec.Cmd) (*Group, error) {
	if err := theGuard.ready(); err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	cmd.SysProcAttr = attributes(cmd.SysProcAttr)
	started := make(chan error)
	theStarter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	raiseOOMScore(cmd.Process.Pid)
	g := &Group{cmd: cmd}
	if err := theGuard.add(cmd.Process.Pid); err != nil {
		g.Signal(syscall.SIGKILL)
		_ = g.Wait() // It was killed, which is no news.
		return nil, fmt.Errorf("guard process: %w", err)
	}
	return g, nil
}

// Signal sends a signal to all processes of the group. After Wait has seen the
// end of the child it sends none: its number may be another's by then.
func (g *Group) Signal(signal syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.reaped {
		// The only error is that there is no such process any more.
		_ = syscall.Kill(-g.cmd.Process.Pid, signal)
	}
}

// Wait waits for the end of the child, kills what is left of its group, and
// returns what the command's own Wait does.
func (g *Group) Wait() error {
	if awaitExit(g.cmd.Process.Pid) {
		g.end()
		return g.cmd.Wait()
	}
	err := g.cmd.Wait()
	g.end()
	return err
}

func (g *Group) end() {
	g.Signal(syscall.SIGKILL)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.reaped = true
	theGuard.remove(g.cmd.Process.Pid)
}
