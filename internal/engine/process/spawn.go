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
)

const (
	// minimalPath is where an instance finds the programs of the system. The
	// server's own PATH is not passed on, like all else of its environment.
	minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// outputDelay is how long the output of an ended instance is still read,
	// in case it left a process behind that holds it open.
	outputDelay = time.Second
)

// spawn starts the process of an instance.
func (e *Engine) spawn(in *instance) (*program, error) {
	if e.host != nil {
		return e.spawnIsolated(in)
	}
	work, err := e.folder.addInstance(in.id)
	if err != nil {
		return nil, err
	}
	c, address, err := openChannels(e.folder.socket(in.id))
	if err != nil {
		return nil, err
	}
	in.address = address
	defer c.closeTheirs()
	p := &program{readiness: c.readiness, stdout: newLines(unheard), stderr: newLines(unheard)}
	e.bindOutput(in, p.stdout, p.stderr)
	cmd := &exec.Cmd{
		Path: in.revision.command[0],
		Args: in.revision.command,
		Dir:  work,
		// The last of two variables of one name counts.
		Env:        append([]string{minimalPath, "HOME=" + work, "TMPDIR=" + filepath.Join(work, "tmp")}, in.revision.env...),
		Stdout:     p.stdout,
		Stderr:     p.stderr,
		ExtraFiles: c.theirs(),
		WaitDelay:  outputDelay,
	}
	group, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), c.readiness.Close())
	}
	p.process = plain{cmd, group}
	return p, nil
}

// plain is a process without walls around it.
type plain struct {
	cmd *exec.Cmd
	*child.Group
}

// Wait returns how the process ended, after the end of its whole group.
func (p plain) Wait() string {
	// An exit status other than 0 is an error of Wait; the state tells more.
	_ = p.Group.Wait()
	return describe(p.cmd.ProcessState)
}

// channels are what an instance inherits: the socket at which it listens, and
// the pipe by which it says that it does.
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

func (c channels) theirs() []*os.File { return []*os.File{c.listener, c.report} }

// closeTheirs closes the server's copies of what the instance has by now.
func (c channels) closeTheirs() {
	_ = c.listener.Close()
	_ = c.report.Close()
}

// listen returns a listening socket as a file for a child to inherit. The
// parent must not keep it: once the child has ended, connections are refused
// only if nobody holds the socket.
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
