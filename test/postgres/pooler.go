package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// A Pooler is a running PgBouncer.
type Pooler struct {
	dir  string
	stop func() error
}

// poolerConfig is the configuration of a pooler: the folder, and the mode.
const poolerConfig = `[databases]
* = host=%[1]s
[pgbouncer]
pool_mode = %[3]s
unix_socket_dir = %[2]s
listen_port = 6432
auth_type = trust
auth_file = %[2]s/users
ignore_startup_parameters = extra_float_digits
`

// StartPooler starts PgBouncer in front of the server, in the mode session, transaction or
// statement. The caller must stop it.
func (s *Server) StartPooler(mode string) (*Pooler, error) {
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		// The folder is not in the PATH of all users.
		program, err = exec.LookPath("/usr/sbin/pgbouncer")
	}
	if err != nil {
		return nil, errors.New("PgBouncer is not installed: run make setup")
	}
	p := &Pooler{dir: filepath.Join(s.dir, mode)}
	if err := os.Mkdir(p.dir, 0o755); err != nil {
		return nil, err
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(p.dir, "users"), []byte(`"`+superuser+`" ""`), 0o644),
		os.WriteFile(filepath.Join(p.dir, "pgbouncer.ini"), fmt.Appendf(nil, poolerConfig, s.dir, p.dir, mode), 0o644),
	)
	if c := s.attr.Credential; err == nil && c != nil {
		err = os.Chown(p.dir, int(c.Uid), int(c.Gid))
	}
	if err != nil {
		return nil, err
	}
	return p, p.start(s.command(program, filepath.Join(p.dir, "pgbouncer.ini")))
}

func (p *Pooler) start(cmd *exec.Cmd) error {
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The kernel stops the process when the thread that started it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start pgbouncer: %w", err)
	}
	p.stop = func() error {
		err := cmd.Process.Signal(syscall.SIGQUIT)
		waited := <-ended
		if _, exited := errors.AsType[*exec.ExitError](waited); exited {
			waited = nil // The exit status does not matter.
		}
		return errors.Join(err, waited)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := connect(p.url("postgres"))
		if err == nil {
			return conn.Close(context.Background())
		}
		select {
		case err := <-ended:
			return fmt.Errorf("pgbouncer ended: %w: %s", err, log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("pgbouncer does not start: %w", err), p.stop())
		}
	}
}

// URL returns the URL of a database by way of the pooler, from that of Database.
func (p *Pooler) URL(address string) string { return p.url(Name(address)) }

func (p *Pooler) url(database string) string {
	return "postgres://" + superuser + "@/" + database + "?" + url.Values{"host": {p.dir}, "port": {"6432"}}.Encode()
}

// Stop stops the pooler.
func (p *Pooler) Stop() error { return p.stop() }
