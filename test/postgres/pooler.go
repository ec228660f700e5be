package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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
	p.stop, err = launch(s.command(program, filepath.Join(p.dir, "pgbouncer.ini")), new(bytes.Buffer), p.url("postgres"))
	return p, err
}

// URL returns the URL of a database by way of the pooler, from that of Database.
func (p *Pooler) URL(address string) string { return p.url(Name(address)) }

func (p *Pooler) url(database string) string {
	return "postgres://" + superuser + "@/" + database + "?" + url.Values{"host": {p.dir}, "port": {"6432"}}.Encode()
}

// Stop stops the pooler.
func (p *Pooler) Stop() error { return p.stop() }
