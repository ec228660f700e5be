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
	work, err := e.folder.addInstance(in.id)
	if err != nil {
		return nil, err
	}
	in.socket = e.folder.socket(in.id)
	listener, err := listen(in.socket)
	if err != nil {
		return nil, err
	}
	defer func() { _ = listener.Close() }()
	readiness, report, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make readiness pipe: %w", err)
	}
	defer report.Close()

	p := &program{readiness: readiness}
	secrets := newRedactor(in.revision.Secrets)
	p.stdout = newLines(secrets, e.logLine(in, "stdout"))
	p.stderr = newLines(secrets, e.logLine(in, "stderr"))
	p.cmd = &exec.Cmd{
		Path: in.revision.Command[0],
		Args: in.revision.Command,
		Dir:  work,
		// The last of two variables of one name counts.
		Env:        append([]string{minimalPath, "HOME=" + work, "TMPDIR=" + filepath.Join(work, "tmp")}, in.revision.Env...),
		Stdout:     p.stdout,
		Stderr:     p.stderr,
		ExtraFiles: []*os.File{listener, report},
		WaitDelay:  outputDelay,
	}
	if p.group, err = child.Start(p.cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), readiness.Close())
	}
	return p, nil
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
