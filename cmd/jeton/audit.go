package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// auditCommand prints the audit log.
type auditCommand struct {
	Since  moment `env:"-" help:"Start of the output: a time (2027-01-31T12:00:00Z) or an age (24h)." placeholder:"TIME|DURATION"`
	Follow bool   `env:"-" help:"Wait for new entries and print them." short:"f"`
	adminCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*auditCommand) Help() string {
	return "The command reads the file of the data directory, or asks another server with an API key that covers the organization. With -o json, each line is an object."
}

// A moment is a flag that accepts a time (RFC 3339) or an age (a duration).
type moment struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) error {
	if ago, err := time.ParseDuration(string(text)); err == nil {
		m.Time = time.Now().Add(-ago)
		return nil
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is neither a time such as 2027-01-31T12:00:00Z nor a duration such as 24h", text)
	}
	m.Time = at
	return nil
}

// Run prints one line per entry, oldest first. A file of the data folder needs no running
// server; with a PostgreSQL database, the entries are read through the server.
func (c *auditCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	report := func(e audit.Entry, asJSON []byte) error {
		if c.json() {
			_, err := fmt.Fprintf(s.out, "%s\n", asJSON)
			return err
		}
		return printEntry(s.out, e)
	}
	if !c.isLocal(line.DataDir) {
		return c.withServer(line, func(server *remote.Server) error {
			return server.Audit(ctx, c.Since.Time, c.Follow, func(entry json.RawMessage) error {
				var e audit.Entry
				if err := json.Unmarshal(entry, &e); err != nil {
					return fmt.Errorf("decode an entry of the audit log: %w", err)
				}
				return report(e, entry)
			})
		})
	}
	if server.UsesPostgreSQL(line.DataDir) {
		return audit.ReadPages(ctx, c.Follow, func(after int64, wait bool) (admin.AuditPage, error) {
			return callAdmin(line.DataDir, "read the audit log", func(client *admin.Client) (admin.AuditPage, error) {
				return client.AuditEntries(ctx, after, c.Since.Time, wait)
			})
		}, report)
	}
	path := filepath.Join(line.DataDir, audit.File)
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrPermission):
		return notServing("read the audit log", line.DataDir)
	case err != nil:
		return fmt.Errorf("no audit log in %s: start 'jeton serve' first, or set --data-dir", line.DataDir)
	}
	if c.Follow {
		return audit.Follow(ctx, path, c.Since.Time, report)
	}
	return audit.Read(path, c.Since.Time, report)
}

func printEntry(out io.Writer, e audit.Entry) error {
	who := cmp.Or(e.AccessKey, "-")
	if e.From == audit.Owner {
		who = audit.Owner
	}
	object := cmp.Or(e.Object, "-")
	if e.Name != "" {
		object += " (" + e.Name + ")"
	}
	node := ""
	if e.Node != "" {
		node = "  " + e.Node
	}
	_, err := fmt.Fprintf(out, "%s  %-20s  %-15s  %d  %s  %s%s\n",
		e.At.Local().Format(time.RFC3339), who, e.From, e.Status, e.Endpoint, object, node)
	return err
}
