package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/store/table"
)

// Snapshot copies the database at path, as of one instant, to a new file. Another
// process may use the database at the same time.
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

// Verify returns an error unless the file at path is an intact database of any version
// whose objects can all be decoded. It reads the whole file and does not change it.
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
		return fmt.Errorf("not a database of jeton: %w", err)
	}
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("integrity check: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("integrity check: %s", found)
	}
	for _, kind := range table.Kinds {
		if err := verifyTable(ctx, db, kind); err != nil {
			return err
		}
	}
	return nil
}

// verifyTable reads all objects of a table, which a database of an older version may not
// have.
func verifyTable(ctx context.Context, db *sql.DB, kind table.Kind) error {
	name := kind.TableName()
	var known int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", name).Scan(&known); err != nil {
		return fmt.Errorf("look for %s: %w", name, err)
	}
	if known == 0 {
		return nil
	}
	rows, err := db.QueryContext(ctx, "SELECT id, body FROM "+name)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var body sql.RawBytes
		if err := rows.Scan(&id, &body); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		object, err := kind.DecodeAny(body)
		if err != nil {
			return err
		}
		if object.ObjectID() != id {
			return fmt.Errorf("%w: one of %s has another ID than its row", table.ErrUndecodable, name)
		}
	}
	return rows.Err()
}
