package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/test/await"
)

// pollInterval is the time between two calls. It is short compared with what is measured.
const pollInterval = 2 * time.Millisecond

// A side is one side of the comparison: a server of code in a folder.
type side struct {
	dir        string
	code       map[string]string // The file that is edited.
	url, token string
	// restart starts the plain server again after an edit; nil if the server notices edits itself.
	restart func() error
	close   func()
}

// edit writes the code and returns the milliseconds until a call gets its response.
func (s *side) edit(ctx context.Context, version string) (float64, error) {
	began := time.Now()
	if err := write(s.dir, s.code, version); err != nil {
		return 0, err
	}
	if s.restart != nil {
		if err := s.restart(); err != nil {
			return 0, err
		}
	}
	err := s.live(ctx, version)
	return harness.Milliseconds(time.Since(began)), err
}

// live waits until a call gets the version.
func (s *side) live(ctx context.Context, version string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*await.Patience, fmt.Errorf("%s of %s is not live", version, s.dir))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for s.call(ctx) != version {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// client opens a connection for each call, since plain servers end with each edit.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

// call returns the body of a response; "" without a response.
func (s *side) call(ctx context.Context) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, http.NoBody)
	if err != nil {
		return ""
	}
	request.Header.Set("X-Auth-Token", s.token)
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(body)
}

var printedCurl = regexp.MustCompile(`^curl (\S+) -H 'X-Auth-Token: (\S+)'`)

// startJeton starts a server and jeton dev.
func startJeton(ctx context.Context, l language, dir string) (*side, error) {
	registry, err := filepath.Abs(filepath.Join("test", "crates", "registry"))
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(filepath.Join("bin", "jeton"))
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// The cache of compilers is that of bench-start. Without --share-rust-builds, each edit compiles
	// all crates.
	cache, err := filepath.Abs(".cache")
	if err != nil {
		return nil, err
	}
	server, err := harness.Start(ctx, data, "--crates="+registry, "--cache-dir="+cache, "--share-rust-builds")
	if err != nil {
		return nil, err
	}
	s := &side{dir: filepath.Join(dir, "function"), code: l.code, close: server.Close}
	if err := errors.Join(write(s.dir, l.files, ""), write(s.dir, l.code, "first")); err != nil {
		server.Close()
		return nil, err
	}
	command := exec.CommandContext(ctx, program, "dev", s.dir, "--data-dir", data, "--name", l.name, "--runtime", l.runtime, "--handler", l.handler)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	s.close = func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		server.Close()
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if match := printedCurl.FindStringSubmatch(lines.Text()); match != nil {
			s.url, s.token = match[1], match[2]
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return s, s.live(ctx, "first")
		}
	}
	s.close()
	return nil, fmt.Errorf("jeton dev of %s ended without a curl command", l.name)
}

// startPlain starts the plain server of a language.
func startPlain(ctx context.Context, l language, tool, dir string) (*side, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &side{dir: dir, code: l.plain, url: fmt.Sprintf("http://127.0.0.1:%d/", port)}
	if err := errors.Join(write(dir, l.plainFiles, ""), write(dir, l.plain, "first")); err != nil {
		return nil, err
	}
	var running *exec.Cmd
	s.close = func() {
		if running != nil {
			// go run and cargo run are parents of the server.
			_ = syscall.Kill(-running.Process.Pid, syscall.SIGKILL)
			_ = running.Wait()
		}
	}
	start := func() error {
		s.close()
		arguments := l.command(tool, port)
		running = exec.CommandContext(ctx, arguments[0], arguments[1:]...)
		running.Dir, running.Env = dir, append(os.Environ(), fmt.Sprintf("PORT=%d", port), "PYTHONDONTWRITEBYTECODE=1", "GOWORK=off")
		running.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := running.Start(); err != nil {
			running = nil
			return fmt.Errorf("start the plain server of %s: %w", l.name, err)
		}
		return nil
	}
	if err := start(); err != nil {
		return nil, err
	}
	if l.restart {
		s.restart = start
	}
	if err := s.live(ctx, "first"); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// freePort returns a port that no program uses. The plain servers cannot take an open listener.
func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address, err := netip.ParseAddrPort(listener.Addr().String())
	return int(address.Port()), errors.Join(err, listener.Close())
}
