package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/test/await"
)

// StartStandby starts a hot standby that streams from another server, whose host:port is
// given. The caller must stop it.
func StartStandby(of *Server, address string) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s := &Server{bin: of.bin, settings: of.settings, attr: of.attr}
	if err := s.makeDir(filepath.Dir(of.dir)); err != nil {
		return nil, err
	}
	err = s.run("pg_basebackup", "-h", host, "-p", port, "-U", superuser, "-D", s.data(), "-R", "-X", "stream", "-c", "fast")
	if err == nil {
		err = s.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// Promote ends the recovery of a standby.
func (s *Server) Promote() error {
	return s.execute("postgres", "SELECT pg_promote()")
}

// Archived makes a server archive its log. Use it with Start, for BaseBackup and Restore.
func Archived() []string {
	return []string{"archive_mode=on", "archive_command=mkdir -p ../archive && cp %p ../archive/%f"}
}

// BaseBackup backs the server up, while it runs. There is one backup of a server.
func (s *Server) BaseBackup() error {
	return s.run("pg_basebackup", "-h", s.dir, "-U", superuser, "-D", filepath.Join(s.dir, "backup"), "-X", "none", "-c", "fast")
}

// RestorePoint names the current point of the log, and returns when it is archived.
func (s *Server) RestorePoint(name string) error {
	conn, err := connect(s.url("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var file string
	const mark = "SELECT pg_walfile_name(pg_create_restore_point($1))"
	if err := conn.QueryRow(context.Background(), mark, name).Scan(&file); err != nil {
		return err
	}
	if _, err := conn.Exec(context.Background(), "SELECT pg_switch_wal()"); err != nil {
		return err
	}
	return await.Until(context.Background(), "the log file "+file+" is archived", func() bool {
		_, err := os.Stat(filepath.Join(s.dir, "archive", file))
		return err == nil
	})
}

// Restore stops the server, and starts it with the backup and the archived log up to a
// restore point.
func (s *Server) Restore(point string) error {
	if err := s.stop(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.data()); err != nil {
		return err
	}
	if err := s.run("cp", "-a", filepath.Join(s.dir, "backup"), s.data()); err != nil {
		return err
	}
	if err := s.run("touch", filepath.Join(s.data(), "recovery.signal")); err != nil {
		return err
	}
	before := s.settings
	s.settings = append(slices.Clone(before),
		"restore_command=cp ../archive/%f %p", "recovery_target_name="+point, "recovery_target_action=promote")
	err := s.start()
	s.settings = before
	if err != nil {
		return err
	}
	return await.Until(context.Background(), "the restored server accepts writes", func() bool {
		return s.execute("postgres", "CREATE TEMP TABLE t ()") == nil
	})
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) run(program string, arguments ...string) error {
	if output, err := s.command(program, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, output)
	}
	return nil
}
