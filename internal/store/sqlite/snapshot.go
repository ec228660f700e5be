package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Snapshot writes the state of the store in the file at path, as it is at one
// instant, to a file that is not there yet. Another process may use the store
// meanwhile.
func Snapshot(ctx context.Context, path, into string) error {
	db, err := sql.Open("sqlite", dsn(path, "mode=rw"))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", into)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("snapshot of %s: %w", path, err)
	}
	return nil
}

// Verify tells whether the file at path is a whole store, of whatever version, all of
// whose objects can be read. It looks through all of it, and changes nothing.
func Verify(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, "_pragma=query_only(1)&mode=rw"))
	if err != nil {
		return err
	}
	return errors.Join(verify(ctx, db), db.Close())
}

func verify(ctx context.Context, db *sql.DB) error {
	var changes int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM changes").Scan(&changes); err != nil {
		return fmt.Errorf("no store: %w", err)
	}
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("integrity check: %s", found)
	}
	for _, t := range tables {
		if err := t.verify(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

func (t table[T]) verify(ctx context.Context, db *sql.DB) error {
	var known int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", t.name).Scan(&known); err != nil {
		return fmt.Errorf("look for %s: %w", t.name, err)
	}
	if known == 0 {
		return nil
	}
	rows, err := db.QueryContext(ctx, "SELECT id, body FROM "+t.name)
	if err != nil {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var body sql.RawBytes
		if err := rows.Scan(&id, &body); err != nil {
			return fmt.Errorf("read %s: %w", t.name, err)
		}
		object, err := t.decode(body)
		if err != nil {
			return err
		}
		if object.ObjectID() != id {
			return fmt.Errorf("%w: one of %s has another ID than its row", errUndecodable, t.name)
		}
	}
	return rows.Err()
}
