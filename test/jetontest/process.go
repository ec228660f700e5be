package jetontest

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// processName is the name by which a test program starts itself as a server.
const processName = "jeton-of-a-test"

// A process is a server that runs in a process of its own.
type process struct {
	command *exec.Cmd
	// ended is closed when the process has ended, after err was set.
	ended chan struct{}
	err   error
	// stdin ends the process when it is closed, or when the test program ends.
	stdin io.WriteCloser
}

func init() { //nolint:gochecknoinits // The test program becomes a server before its tests run.
	if os.Args[0] != processName {
		return
	}
	if err := runProcess(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runProcess runs a server with the configuration on standard input until SIGTERM.
func runProcess() error {
	var config server.Config
	if err := gob.NewDecoder(os.Stdin).Decode(&config); err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // The test has ended.
	}()
	config.Now, config.NewID, config.NewKeyPair = func() time.Time { return time.Now().UTC() }, uuid.NewString, keyPair
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := server.Open(ctx, config, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		return err
	}
	return errors.Join(s.Run(ctx), s.Close())
}

// StartProcess runs a server in a process of its own until the test ends, so that it can be
// killed and paused. The data folder may exist; then credentials are those of an API key
// that is in it, and otherwise nil. Options cannot set functions of the configuration.
func StartProcess(t testing.TB, dataDir string, credentials *scw.Profile, options ...Option) *Jeton {
	t.Helper()
	j := configured(t, dataDir, options)
	j.process = new(process)
	if credentials != nil {
		j.authenticate(credentials)
	}
	j.start()
	if credentials == nil {
		config, err := scw.LoadConfigFromPath(j.config.Credentials)
		if err != nil {
			t.Fatalf("read the credentials: %v", err)
		}
		j.authenticate(&config.Profile)
	}
	j.atEnd()
	return j
}

func (j *Jeton) startProcess() {
	j.t.Helper()
	program, err := os.Executable()
	if err != nil {
		j.t.Fatal(err)
	}
	// A process that was killed has left its file.
	if err := os.Remove(filepath.Join(j.DataDir, server.EndpointsFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		j.t.Fatal(err)
	}
	p := &process{command: exec.Command(program), ended: make(chan struct{})}
	p.command.Args = []string{processName}
	p.command.Stdout, p.command.Stderr = j.Log, j.Log
	p.stdin, err = p.command.StdinPipe()
	if err != nil {
		j.t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		j.t.Fatal(err)
	}
	j.process = p
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	j.stop = func() { j.endProcess(syscall.SIGTERM) }
	if err := gob.NewEncoder(p.stdin).Encode(j.config); err != nil {
		j.t.Fatal(err)
	}
	await.True(j.t, "the process serves", func() bool {
		select {
		case <-p.ended:
			j.t.Fatalf("start the server: the process ended: %v\n%s", p.err, j.Log)
		default:
		}
		endpoints, ok := server.Reach(j.DataDir)
		if ok {
			j.reachedAt(endpoints)
		}
		return ok
	})
}

// endProcess sends a signal to the process and waits until it has ended.
func (j *Jeton) endProcess(s syscall.Signal) {
	j.t.Helper()
	j.signal(s)
	select {
	case <-j.process.ended:
	case <-time.After(await.Patience):
		_ = j.process.command.Process.Kill()
		<-j.process.ended
		j.t.Errorf("the server did not end after %v", s)
	}
	if s != syscall.SIGKILL && j.process.err != nil {
		j.t.Errorf("the server ended with: %v", j.process.err)
	}
}

func (j *Jeton) signal(s syscall.Signal) {
	j.t.Helper()
	if j.process == nil {
		j.t.Fatal("the server runs in the process of the test: use StartProcess")
	}
	if err := j.process.command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		j.t.Error(err)
	}
}

// Kill kills the process of the server. Restart starts it again.
func (j *Jeton) Kill() {
	j.t.Helper()
	if j.stop != nil {
		j.endProcess(syscall.SIGKILL)
		j.stop = nil
	}
}

// Pause stops the process of the server with SIGSTOP, and returns when it has stopped.
func (j *Jeton) Pause() {
	j.t.Helper()
	j.signal(syscall.SIGSTOP)
	await.True(j.t, "the process has stopped", func() bool {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", j.process.command.Process.Pid))
		if err != nil {
			return true // Only Linux has the file; elsewhere the signal was sent.
		}
		_, state, ok := strings.Cut(string(status), ") ")
		return ok && strings.HasPrefix(state, "T")
	})
}

// Resume continues the process after Pause.
func (j *Jeton) Resume() { j.signal(syscall.SIGCONT) }
