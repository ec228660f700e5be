package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
)

// Certificates implements certificate.Records. All methods are safe for concurrent use by
// several processes.
type Certificates struct{ store *Store }

// Certificates returns the records of certificates in the database.
func (s *Store) Certificates() *Certificates { return &Certificates{s} }

// below is the condition for keys in a folder, whose name is the parameter $1.
const below = "key >= $1 || '/' AND key < $1 || '0'" // '0' follows '/'.

// Put stores a value.
func (c *Certificates) Put(ctx context.Context, key string, value []byte) error {
	_, err := c.execute(ctx, `INSERT INTO certificates (key, value, modified) VALUES ($1, $2, clock_timestamp())
		ON CONFLICT (key) DO UPDATE SET value = excluded.value, modified = excluded.modified`, key, value)
	return c.explain("store", key, err)
}

// Replace replaces a value unless it was changed or deleted meanwhile. The time of its last
// change stays.
func (c *Certificates) Replace(ctx context.Context, key string, current, value []byte) error {
	_, err := c.execute(ctx, "UPDATE certificates SET value = $3 WHERE key = $1 AND value = $2", key, current, value)
	return c.explain("store", key, err)
}

// Get returns a value and the time of its last change, or fs.ErrNotExist.
func (c *Certificates) Get(ctx context.Context, key string) (value []byte, modified time.Time, err error) {
	err = c.store.retry(ctx, func() error {
		return againIf(c.store.pool.QueryRow(ctx, "SELECT value, modified FROM certificates WHERE key = $1", key).Scan(&value, &modified))
	})
	return value, modified, c.explain("read", key, err)
}

// Delete deletes a value, and all values in the folder of this name.
func (c *Certificates) Delete(ctx context.Context, key string) error {
	_, err := c.execute(ctx, "DELETE FROM certificates WHERE key = $1 OR "+below, key)
	return c.explain("delete", key, err)
}

// List returns the keys in a folder and the folders in it, in any order. The empty text is
// the folder of all keys.
func (c *Certificates) List(ctx context.Context, folder string) (keys []string, err error) {
	query, arguments := "SELECT key FROM certificates WHERE "+below, []any{folder}
	if folder == "" {
		query, arguments = "SELECT key FROM certificates", nil
	}
	err = c.store.retry(ctx, func() error {
		rows, err := c.store.pool.Query(ctx, query, arguments...)
		if err == nil {
			keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return againIf(err)
	})
	return keys, c.explain("list", folder, err)
}

// Lock acquires or renews a lock for a time, and reports whether the holder has it. The lock
// is free when Unlock was called or the time has passed.
func (c *Certificates) Lock(ctx context.Context, name, holder string, life time.Duration) (bool, error) {
	changed, err := c.execute(ctx, `INSERT INTO certificate_locks AS l (name, holder, expires) VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
		WHERE l.holder = excluded.holder OR l.expires < clock_timestamp()`, name, holder, life.Microseconds())
	return changed > 0, c.explain("lock", name, err)
}

// Unlock releases a lock, unless another holder has it.
func (c *Certificates) Unlock(ctx context.Context, name, holder string) error {
	_, err := c.execute(ctx, "DELETE FROM certificate_locks WHERE name = $1 AND holder = $2", name, holder)
	return c.explain("unlock", name, err)
}

// execute executes a statement that may be repeated.
func (c *Certificates) execute(ctx context.Context, statement string, arguments ...any) (changed int64, err error) {
	err = c.store.retry(ctx, func() error {
		tag, err := c.store.pool.Exec(ctx, statement, arguments...)
		changed = tag.RowsAffected()
		return againIf(err)
	})
	return changed, err
}

func (c *Certificates) explain(operation, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		err = fs.ErrNotExist
	default:
		err = c.store.explain(err)
	}
	return fmt.Errorf("%s certificate record %.200q: %w", operation, key, err)
}
