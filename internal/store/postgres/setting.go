package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The settings of an installation.
const (
	// CanarySetting is a value that was sealed with the sealing key of the installation,
	// so that a server can refuse another key.
	CanarySetting = "canary"
	// SeedSetting identifies the installation, and DatabaseIDSetting the database. They do
	// not change with the sealing key.
	SeedSetting       = "seed"
	DatabaseIDSetting = "database-id"
	// BlobsSetting is the location of the archives and artifacts.
	BlobsSetting = "blobs"
	// AuthoritySetting is the local certificate authority.
	AuthoritySetting = "authority"
	// ClusterAuthoritySetting is the sealed certificate authority of the nodes.
	ClusterAuthoritySetting = "cluster-authority"
)

// Setting returns a setting of the installation that never changes. If it is not set,
// Setting stores the value that create returns, unless another server is faster.
func (s *Store) Setting(ctx context.Context, name string, create func() ([]byte, error)) (value []byte, err error) {
	value, found, err := s.setting(ctx, name)
	if err != nil || found {
		return value, err
	}
	created, err := create()
	if err != nil {
		return nil, err
	}
	err = s.locked(ctx, func(t *tx) error {
		if err := t.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING", name, created); err != nil {
			return err
		}
		return t.scan("SELECT value FROM settings WHERE name = $1", []any{name}, &value)
	})
	if err != nil {
		return nil, fmt.Errorf("store the setting %s: %w", name, err)
	}
	return value, nil
}

// ChangeSetting replaces a setting by what change returns for the current value, and
// returns the new value. The current value is nil if the setting is not set. change decides
// under the lock of all writers, and may run several times.
func (s *Store) ChangeSetting(ctx context.Context, name string, change func(current []byte) ([]byte, error)) (value []byte, err error) {
	err = s.locked(ctx, func(t *tx) error {
		var current []byte
		err := t.scan("SELECT value FROM settings WHERE name = $1", []any{name}, &current)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if value, err = change(current); err != nil || bytes.Equal(value, current) {
			return err
		}
		return t.exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	})
	if err != nil {
		return nil, fmt.Errorf("change the setting %s: %w", name, err)
	}
	return value, nil
}

// HasSetting reports whether a setting is set.
func (s *Store) HasSetting(ctx context.Context, name string) (bool, error) {
	_, found, err := s.setting(ctx, name)
	return found, err
}

func (s *Store) setting(ctx context.Context, name string) (value []byte, found bool, err error) {
	err = s.retry(ctx, func() error {
		return againIf(s.pool.QueryRow(ctx, "SELECT value FROM settings WHERE name = $1", name).Scan(&value))
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the setting %s: %w", name, s.explain(err))
	}
	return value, true, nil
}
