package postgres

import "time"

// WithCommitHook makes hook replace the error of each commit.
func WithCommitHook(hook func(error) error) Option {
	return func(s *Store) { s.afterCommit = hook }
}

// WithLookUp sets how long a writer waits for the outcome of a commit, and the time
// between two look-ups.
func WithLookUp(timeout, retry time.Duration) Option {
	return func(s *Store) { s.lookUp, s.retryLookUp = timeout, retry }
}
