package child

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// A Group is the process group of a child. Its methods are safe for concurrent use,
// except Wait, which must be called once.
type Group struct {
	cmd *exec.Cmd

	mu     sync.Mutex
	reaped bool
}

// starter runs functions on one thread that lives as long as this process. Linux sends
// the parent death signal when the thread that started the child ends, and Go may end
// any other thread at any time.
var starter = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
	return starts
})

// Start starts a command as the leader of a new process group. The command must not
// have a context: Signal ends it. The caller must call Wait. When memory runs out, the
// kernel kills children before this process. If this process is killed before Start
// returns, processes that the child has started by then survive.
func Start(cmd *exec.Cmd) (*Group, error) {
	if err := theGuard.ensure(); err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	cmd.SysProcAttr = attributes(cmd.SysProcAttr)
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	raiseOOMScore(cmd.Process.Pid)
	g := &Group{cmd: cmd}
	if err := theGuard.add(cmd.Process.Pid); err != nil {
		g.Signal(syscall.SIGKILL)
		_ = g.Wait() // It was killed: the error is expected.
		return nil, fmt.Errorf("guard process: %w", err)
	}
	return g, nil
}

// Signal sends a signal to all processes of the group. It does nothing after Wait has
// reaped the child, since another group may have the same id by then.
func (g *Group) Signal(signal syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.reaped {
		// The only possible error is ESRCH: all processes have ended.
		_ = syscall.Kill(-g.cmd.Process.Pid, signal)
	}
}

// Wait waits until the child has ended, kills the rest of its group, and returns the
// result of the command's own Wait.
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
