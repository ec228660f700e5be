package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// AppendAudit implements audit.Rows. It does not lock the head row. An entry may be stored
// twice if the connection is lost during the commit.
func (s *Store) AppendAudit(ctx context.Context, at []time.Time, entries []string, maxBytes int64, oldest time.Time) error {
	times := make([]int64, len(at))
	var bytes int64
	for i, entry := range entries {
		times[i] = at[i].UnixNano()
		bytes += int64(len(entry))
	}
	err := s.retry(ctx, func() error {
		return againIf(pgx.BeginFunc(ctx, s.pool, func(sqlTx pgx.Tx) error {
			t := newTx(ctx, sqlTx)
			var number, removed, stored int64
			if err := t.scan("SELECT number, removed, bytes FROM audit_head FOR UPDATE", nil, &number, &removed, &stored); err != nil {
				return err
			}
			err := t.exec(`INSERT INTO audit_entries (number, at, body) SELECT $1::bigint + i, a, b FROM unnest($2::bigint[], $3::text[]) WITH ORDINALITY AS e (a, b, i)`,
				number, times, entries)
			if err != nil {
				return err
			}
			number += int64(len(entries))
			// Each append removes more than it adds, so that the table shrinks to its bounds.
			upTo, freed, err := t.oldAudit(removed, number, stored+bytes-maxBytes, oldest, 2*len(entries)+8)
			if err == nil && upTo > removed {
				err = t.exec("DELETE FROM audit_entries WHERE number <= $1", upTo)
			}
			if err != nil {
				return err
			}
			return t.exec("UPDATE audit_head SET number = $1, removed = $2, bytes = $3", number, upTo, stored+bytes-freed)
		}))
	})
	if err != nil {
		return fmt.Errorf("append to the audit log: %w", s.explain(err))
	}
	return nil
}

// oldAudit returns the number of the last entry to remove, and the size of the entries up to
// it: those that exceed the size by excess bytes or are older than a time, but not the last
// one. It examines at most limit entries after removed.
func (t *tx) oldAudit(removed, last, excess int64, oldest time.Time, limit int) (upTo, freed int64, err error) {
	upTo = removed
	done := false
	var number, at, length int64
	err = t.rows("SELECT number, at, octet_length(body) FROM audit_entries WHERE number > $1 AND number < $2 ORDER BY number LIMIT $3",
		[]any{removed, last, limit}, []any{&number, &at, &length}, func() error {
			if done = done || freed >= excess && at >= oldest.UnixNano(); !done {
				upTo, freed = number, freed+length
			}
			return nil
		})
	return upTo, freed, err
}

// AuditEntries implements audit.Rows.
func (s *Store) AuditEntries(ctx context.Context, after int64, since time.Time, limit int, each func(number int64, entry string)) error {
	from := since.UnixNano()
	if since.IsZero() {
		from = 0
	}
	// The entries of several nodes are not in the order of their times.
	rows, err := s.pool.Query(ctx, `SELECT number, body FROM audit_entries
		WHERE number > $1 AND number >= (SELECT coalesce(min(number), 0) FROM audit_entries WHERE at >= $2) AND at >= $2 ORDER BY number LIMIT $3`,
		after, from, limit)
	var number int64
	var body string
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{&number, &body}, func() error {
			each(number, body)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("read the audit log: %w", s.explain(err))
	}
	return nil
}
