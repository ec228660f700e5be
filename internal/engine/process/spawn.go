package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
)

const (
	// minimalPath is the PATH of instances, which inherit no variable of the server.
	minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// outputDelay bounds the reading of output after the end of an instance whose
	// children keep the pipe open.
	outputDelay = time.Second
)

// spawn starts the process of an instance.
func (e *Engine) spawn(in *instance) (*program, error) {
	if e.host != nil {
		return e.spawnSandboxed(in)
	}
	work, err := e.folder.addInstance(in.ID)
	if err != nil {
		return nil, err
	}
	c, address, err := openChannels(e.folder.socket(in.ID))
	if err != nil {
		return nil, err
	}
	in.address = address
	defer c.closeInherited()
	p := &program{readiness: c.readiness, stdout: printed.New(dropLine), stderr: printed.New(dropLine)}
	e.bindOutput(in, p.stdout, p.stderr)
	cmd := &exec.Cmd{
		Path: in.revision.command[0],
		Args: in.revision.command,
		Dir:  work,
		// The last of two variables of one name counts.
		Env:        append([]string{minimalPath, "HOME=" + work, "TMPDIR=" + filepath.Join(work, "tmp")}, in.revision.env...),
		Stdout:     p.stdout,
		Stderr:     p.stderr,
		ExtraFiles: c.inherited(),
		WaitDelay:  outputDelay,
	}
	group, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), c.readiness.Close())
	}
	p.process = plainProcess{cmd, group}
	return p, nil
}

// plainProcess is a process without a sandbox.
type plainProcess struct {
	cmd *exec.Cmd
	*child.Group
}

// Wait returns how the process ended, when no process of its group is left.
func (p plainProcess) Wait() string {
	// The error of Wait has less information than the state.
	_ = p.Group.Wait()
	return child.Status(p.cmd.ProcessState)
}

// channels are the files that an instance inherits, listener and report, and the
// engine's end of the readiness pipe.
type channels struct{ listener, report, readiness *os.File }

func openChannels(socket string) (channels, engine.Address, error) {
	address, err := engine.ParseAddress("unix:" + socket)
	if err != nil {
		return channels{}, engine.Address{}, err
	}
	listener, err := listen(socket)
	if err != nil {
		return channels{}, engine.Address{}, err
	}
	readiness, report, err := os.Pipe()
	if err != nil {
		return channels{}, engine.Address{}, errors.Join(fmt.Errorf("make readiness pipe: %w", err), listener.Close())
	}
	return channels{listener: listener, report: report, readiness: readiness}, address, nil
}

// inherited returns the files of the instance.
func (c channels) inherited() []*os.File { return []*os.File{c.listener, c.report} }

// closeInherited closes the engine's copies of the instance's files.
func (c channels) closeInherited() {
	_ = c.listener.Close()
	_ = c.report.Close()
}

// listen returns a listening socket as a file that a child can inherit. The parent
// closes it, so that connections are refused after the end of the child.
func listen(path string) (*os.File, error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }()
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return file, nil
}
