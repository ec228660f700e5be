package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// WithCommitHook makes hook replace the error of each commit.
func WithCommitHook(hook func(error) error) Option {
	return WithCommit(func(ctx context.Context, t pgx.Tx) error { return hook(t.Commit(ctx)) })
}

// WithCommit replaces the commit of transactions.
func WithCommit(commit func(context.Context, pgx.Tx) error) Option {
	return func(s *Store) { s.commit = commit }
}

// WithLookUp sets how long a writer waits for the outcome of a commit, and the time
// between two look-ups.
func WithLookUp(timeout, retry time.Duration) Option {
	return func(s *Store) { s.lookUp, s.retryLookUp = timeout, retry }
}

// WithPatience sets how long a catch-up waits for the database.
func WithPatience(d time.Duration) Option { return func(s *Store) { s.patience = d } }

// SettingsOfSession returns settings of a session of the store.
func (s *Store) SettingsOfSession(ctx context.Context, names ...string) (values []string, err error) {
	for _, name := range names {
		var value string
		if err := s.pool.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}
