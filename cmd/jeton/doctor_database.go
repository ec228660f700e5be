package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// doctorTimeout bounds the examination of a database.
const doctorTimeout = 30 * time.Second

// printDatabase prints whether a server can use the PostgreSQL database, how long a commit
// takes, and which settings can lose acknowledged changes. It changes nothing. It returns
// an error if a server cannot use the database.
func (c *doctorCommand) printDatabase(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	var failed []error
	printf := func(format string, args ...any) {
		_, err := fmt.Fprintf(out, format, args...)
		failed = append(failed, err)
	}
	found, err := postgres.Inspect(ctx, c.Database)
	printf("Database\n")
	if found.Version != "" {
		printf("  %-10s  %s\n", "name", found.Name)
		printf("  %-10s  PostgreSQL %s\n", "version", found.Version)
	}
	if err != nil {
		printf("  %-10s  no\n", "usable")
		return errors.Join(append(failed, err)...)
	}
	printf("  %-10s  yes\n", "usable")
	printf("  %-10s  %s (median of 5; each change waits for one)\n", "commit", found.CommitLatency.Round(10*time.Microsecond))
	printf("  %-10s  synchronous_commit=%s, synchronous_standby_names=%q\n", "settings", found.SynchronousCommit, found.SynchronousStandbys)
	for _, warning := range found.Warnings() {
		printf("  %-10s  %s\n", "warning", warning)
	}
	return errors.Join(failed...)
}
