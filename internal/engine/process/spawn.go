package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

const (
	// minimalPath is where an instance finds the programs of the system. The
	// server's own PATH is not passed on, like all else of its environment.
	minimalPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	// outputDelay is how long the output of an ended instance is still read,
	// in case it left a process behind that holds it open.
	outputDelay = time.Second
)

// A spawner starts all children from one thread that lives as long as they do:
// Linux sends the signal of a parent's death when the thread that made the child
// ends, which any other thread of a Go program may do at any time.
type spawner struct{ starts chan func() }

func newSpawner() *spawner {
	s := &spawner{starts: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for start := range s.starts {
			start()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	started := make(chan error)
	s.starts <- func() { started <- cmd.Start() }
	return <-started
}

func (s *spawner) close() { close(s.starts) }

// spawn starts the process of an instance.
func (e *Engine) spawn(in *instance) (*child, error) {
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

	c := &child{readiness: readiness}
	secrets := newRedactor(in.revision.Secrets)
	c.stdout = newLines(secrets, e.logLine(in, "stdout"))
	c.stderr = newLines(secrets, e.logLine(in, "stderr"))
	c.cmd = &exec.Cmd{
		Path: in.revision.Command[0],
		Args: in.revision.Command,
		Dir:  work,
		// The last of two variables of one name counts.
		Env:         append([]string{minimalPath, "HOME=" + work, "TMPDIR=" + filepath.Join(work, "tmp")}, in.revision.Env...),
		Stdout:      c.stdout,
		Stderr:      c.stderr,
		ExtraFiles:  []*os.File{listener, report},
		SysProcAttr: childAttributes(),
		WaitDelay:   outputDelay,
	}
	if err := e.spawner.start(c.cmd); err != nil {
		return nil, errors.Join(fmt.Errorf("start: %w", err), readiness.Close())
	}
	return c, nil
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
