package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// server is the process of jeton serve.
type server struct {
	command *exec.Cmd
	log     *os.File
	ended   chan struct{}
	gateway string
}

func (s *server) pid() int { return s.command.Process.Pid }

func (d *demo) path(elements ...string) string {
	return filepath.Join(append([]string{d.dir}, elements...)...)
}

func (d *demo) jeton() string { return filepath.Join(d.root, "bin", "jeton") }

const (
	startLimit = 30 * time.Second
	stopLimit  = 30 * time.Second
	pollEvery  = 20 * time.Millisecond
)

// startServer starts jeton serve on free loopback ports with a new data folder, and
// waits until it serves.
func (d *demo) startServer(ctx context.Context) error {
	log, err := os.Create(d.path("serve.log"))
	if err != nil {
		return err
	}
	arguments := []string{"serve", "--api-listen=127.0.0.1:0", "--gateway-listen=127.0.0.1:0", "--ops-listen="}
	if runtime.GOOS != "linux" {
		// Other systems have no other level, and the examples' functions are trusted.
		arguments = append(arguments, "--isolation=none")
	}
	command := exec.Command(d.jeton(), arguments...)
	command.Env = d.environment()
	command.Stdout, command.Stderr = log, log
	// In its own process group the server does not get Ctrl-C: the demo stops it last.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		return err
	}
	d.server = &server{command: command, log: log, ended: make(chan struct{})}
	go func() {
		_ = command.Wait()
		close(d.server.ended)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		if content, err := os.ReadFile(d.path("data", "endpoints.json")); err == nil {
			var endpoints struct{ API, Gateway string }
			if err := json.Unmarshal(content, &endpoints); err == nil {
				d.server.gateway = endpoints.Gateway
				d.say("jeton serve: API at %s, gateway at %s", endpoints.API, endpoints.Gateway)
				return nil
			}
		}
		select {
		case <-time.After(pollEvery):
		case <-d.server.ended:
			return d.serverFailed("ended")
		case <-ctx.Done():
			return d.serverFailed("did not start")
		}
	}
}

func (d *demo) serverFailed(what string) error {
	log, _ := os.ReadFile(d.path("serve.log"))
	return fmt.Errorf("jeton serve %s:\n%s", what, log)
}

// stopServer stops the server with SIGTERM and returns an error unless it ends with
// exit status 0.
func (d *demo) stopServer() error {
	if d.server == nil {
		return nil
	}
	defer d.server.log.Close()
	if err := d.server.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-d.server.ended:
	case <-time.After(stopLimit):
		return errors.Join(d.serverFailed("did not stop"), d.server.command.Process.Kill())
	}
	if code := d.server.command.ProcessState.ExitCode(); code != 0 {
		return d.serverFailed(fmt.Sprintf("ended with exit status %d", code))
	}
	return nil
}

// progress prints a dot each second until stop is called.
func (d *demo) progress(what string) (stop func()) {
	fmt.Fprintf(d.out, "    %s ", what)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				fmt.Fprint(d.out, ".")
			case <-done:
				fmt.Fprintln(d.out)
				return
			}
		}
	}()
	return func() {
		close(done)
		<-stopped
	}
}
