package launcher

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/child"
)

// outputDelay bounds the reading of output after the end of a program whose children keep the
// pipe open.
const outputDelay = time.Second

// A program is a process that serves a function, or that waits for one.
type program struct {
	process        *os.Process
	stdout, stderr *os.File
	readiness      *os.File
	// assignment is where a worker receives its function; nil for other programs.
	assignment *os.File
}

// start starts a program in its own process group. It inherits the listener as descriptor 3, a
// pipe for readiness as 4 and, as a worker, one for its assignment as 5.
func (l *launcher) start(command, env []string, worker bool) (_ *program, err error) {
	var theirs []*os.File
	p := new(program)
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			p.close()
		}
	}()
	pipe := func(into **os.File, reads bool) (child *os.File) {
		r, w, pipeErr := os.Pipe()
		if pipeErr != nil {
			err = errors.Join(err, pipeErr)
			return nil
		}
		child, *into = w, r
		if !reads {
			child, *into = r, w
		}
		theirs = append(theirs, child)
		return child
	}
	cmd := &exec.Cmd{
		Path: command[0], Args: command, Dir: l.config.Home, Env: env,
		Stdout: pipe(&p.stdout, true), Stderr: pipe(&p.stderr, true),
		ExtraFiles:  []*os.File{l.listener, pipe(&p.readiness, true)},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	if worker {
		cmd.ExtraFiles = append(cmd.ExtraFiles, pipe(&p.assignment, false))
	}
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	p.process = cmd.Process
	return p, nil
}

func (p *program) close() {
	for _, f := range []*os.File{p.stdout, p.stderr, p.readiness, p.assignment} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// signal sends a signal to all processes of the group. The only possible error is that all have
// ended.
func (p *program) signal(s syscall.Signal) { _ = syscall.Kill(-p.process.Pid, s) }

// discard ends a program without an order.
func (p *program) discard() {
	p.signal(syscall.SIGKILL)
	_, _ = p.process.Wait() // It was killed.
	p.close()
}

// supervise reports what a program prints and that it is ready, and stops it when the node says so.
// It returns how the program ended, when all output was reported.
func (l *launcher) supervise(p *program) (status string) {
	defer p.close()
	var printing sync.WaitGroup
	printing.Go(func() { _, _ = io.Copy(reporter{l.agent, wire.Stdout}, p.stdout) })
	printing.Go(func() { _, _ = io.Copy(reporter{l.agent, wire.Stderr}, p.stderr) })
	go func() {
		if n, _ := p.readiness.Read(make([]byte, 1)); n == 1 {
			_ = l.agent.Send(wire.Ready, nil)
		}
	}()
	ended := make(chan string, 1)
	go func() { ended <- p.wait() }()
	for done := false; !done; {
		select {
		case kind := <-l.stop:
			if kind == wire.Terminate {
				p.signal(syscall.SIGTERM)
			} else {
				p.signal(syscall.SIGKILL)
			}
		case status = <-ended:
			done = true
		}
	}
	drained := make(chan struct{})
	go func() {
		printing.Wait()
		close(drained)
	}()
	select {
	case <-drained:
	case <-time.After(outputDelay):
	}
	return status
}

// wait returns how the process ended. Then no process of its group is left.
func (p *program) wait() string {
	state, err := awaitProcess(p.process)
	p.signal(syscall.SIGKILL)
	if err != nil {
		return err.Error()
	}
	return child.Status(state)
}
