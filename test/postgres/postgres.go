// Package postgres runs a PostgreSQL server for the tests of one test program. The
// server uses a temporary folder and a Unix socket in it. It runs without fsync: the
// tests kill processes, but not the machine.
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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/test/shared"
)

// superuser is the name of the superuser.
const superuser = "jeton"

// settings are those of a server that starts fast and allows many connections.
var settings = []string{
	"listen_addresses=", "fsync=off", "max_connections=300", "shared_buffers=16MB", "max_wal_size=256MB", "autovacuum=off",
}

// Server is a running PostgreSQL server.
type Server struct {
	bin, dir  string
	settings  []string
	attr      *syscall.SysProcAttr
	log       bytes.Buffer
	stop      func() error
	databases atomic.Int64
}

var perProgram = shared.Server[*Server]{Start: Start}

// Main runs the tests of a program and stops its server. TestMain calls it.
func Main(m *testing.M) { perProgram.Main(m) }

// StopShared stops the server of the program, for programs with several servers: see
// shared.Main.
func StopShared() error { return perProgram.Stop() }

// Database returns the URL of a new, empty database of the program's server, which it
// starts first if necessary. TestMain must call Main.
func Database(t testing.TB) string {
	t.Helper()
	return perProgram.Get(t).Database(t)
}

// Start starts a server. The caller must stop it. It ends with the test program.
func Start() (*Server, error) { return StartIn("") }

// StartIn is Start with a folder in which the server makes its own, "" for the system's
// default, and with more settings of PostgreSQL, such as fsync=on.
func StartIn(dir string, more ...string) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: append(slices.Clone(settings), more...)}
	if s.attr, err = credentials(); err != nil {
		return nil, err
	}
	if err := s.makeDir(dir); err != nil {
		return nil, err
	}
	initdb := s.command("initdb", "-A", "trust", "-N", "-U", superuser, "-E", "UTF8", "--locale", "C", "-D", filepath.Join(s.dir, "data"))
	if output, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, output), os.RemoveAll(s.dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// makeDir makes the folder of the server in another one, "" for the system's default.
func (s *Server) makeDir(dir string) (err error) {
	if dir != "" {
		// The user of the server must reach its folder.
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if s.dir, err = os.MkdirTemp(dir, "pg"); err != nil {
		return err
	}
	if c := s.attr.Credential; c != nil {
		if err := os.Chown(s.dir, int(c.Uid), int(c.Gid)); err != nil {
			return errors.Join(err, os.RemoveAll(s.dir))
		}
	}
	return nil
}

// find returns the folder of the newest installed version's programs.
func find() (string, error) {
	newest, bin := -1, ""
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	for _, path := range found {
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && version > newest {
			newest, bin = version, filepath.Dir(path)
		}
	}
	if bin != "" {
		return bin, nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", errors.New("PostgreSQL is not installed: run make setup")
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

func (s *Server) command(program string, arguments ...string) *exec.Cmd {
	if !strings.HasPrefix(program, "/") && program != "cp" && program != "touch" {
		program = filepath.Join(s.bin, program)
	}
	cmd := exec.Command(program, arguments...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

func (s *Server) start() error {
	arguments := []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir}
	for _, setting := range s.settings {
		arguments = append(arguments, "-c", setting)
	}
	cmd := s.command("postgres", arguments...)
	s.log.Reset()
	stop, err := launch(cmd, &s.log, s.url("postgres"))
	if stop != nil {
		s.stop = stop
	}
	return err
}

// launch starts a program that serves the protocol of PostgreSQL at an address, and waits until it
// does. log receives its output. stop ends it as a crash does; it is nil if no process was started.
func launch(cmd *exec.Cmd, log *bytes.Buffer, address string) (stop func() error, err error) {
	name := filepath.Base(cmd.Path)
	cmd.Stdout, cmd.Stderr = log, log
	started, ended := make(chan error), make(chan struct{})
	var status error // It is set when ended is closed.
	go func() {
		// The kernel stops the process when the thread that started it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			status = cmd.Wait()
			close(ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	stop = sync.OnceValue(func() error {
		// SIGQUIT is the immediate shutdown.
		err := cmd.Process.Signal(syscall.SIGQUIT)
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		<-ended
		if _, exited := errors.AsType[*exec.ExitError](status); exited {
			return err // The exit status does not matter.
		}
		return errors.Join(err, status)
	})
	for deadline := time.Now().Add(time.Minute); ; {
		conn, err := connect(address)
		if err == nil {
			return stop, conn.Close(context.Background())
		}
		select {
		case <-ended:
			return stop, fmt.Errorf("%s ended: %w: %s", name, status, log.String())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return stop, errors.Join(fmt.Errorf("%s does not start: %w", name, err), stop())
		}
	}
}

// Crash stops the server without a checkpoint. Start it again with Resume.
func (s *Server) Crash() error { return s.stop() }

// Resume starts a server after Crash.
func (s *Server) Resume() error { return s.start() }

// Stop stops the server and removes its folder.
func (s *Server) Stop() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

// Database returns the URL of a new, empty database.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	address, err := s.CreateDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// CreateDatabase is Database for programs that are no tests.
func (s *Server) CreateDatabase() (address string, err error) {
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	return s.url(name), s.execute("postgres", "CREATE DATABASE "+name)
}

// Socket returns the path of the server's Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Execute executes statements in a database of the server.
func (s *Server) Execute(address, statement string) error { return s.execute(Name(address), statement) }

// Name returns the name of the database of a URL of Database.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

func (s *Server) execute(database, statement string) error {
	conn, err := connect(s.url(database))
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), statement)
	return errors.Join(err, conn.Close(context.Background()))
}

func connect(address string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return pgx.Connect(ctx, address)
}

func (s *Server) url(database string) string {
	return "postgres://" + superuser + "@/" + database + "?" + url.Values{"host": {s.dir}}.Encode()
}

// With returns the URL of the same database with another user and password.
func With(address, user, password string) string {
	_, rest, _ := strings.Cut(address, "@")
	return "postgres://" + url.UserPassword(user, password).String() + "@" + rest
}

// Execute executes statements in a database.
func Execute(t testing.TB, address string, statements ...string) {
	t.Helper()
	conn, err := connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, statement := range statements {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Copy returns the URL of a copy of a database without connections.
func Copy(t testing.TB, address string) string {
	t.Helper()
	s := perProgram.Get(t)
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", s.databases.Add(1))
	if err := s.execute("postgres", "CREATE DATABASE "+name+" TEMPLATE "+config.Database); err != nil {
		t.Fatal(err)
	}
	return s.url(name)
}
