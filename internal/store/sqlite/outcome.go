package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// lookUp is the timeout of one look-up of a commit, and retryLookUp the time
	// between two.
	lookUp      = 5 * time.Second
	retryLookUp = time.Second
)

// Settled implements store.Store.
func (s *Store) Settled() bool { return !s.inDoubt.Load() }

// commitFailed looks up the outcome of a commit that returned an error. It returns nil
// if the changes were committed. The caller holds mu.
func (s *Store) commitFailed(ctx context.Context, c *commit, cause error) error {
	cause = fmt.Errorf("commit: %w", cause)
	s.doubt = c
	committed, err := s.settle(ctx)
	switch {
	case err != nil:
		// No caller has an answer yet, so the old views were right until now. From
		// here on, nothing may be admitted by them.
		s.inDoubt.Store(true)
		s.background.Go(s.settleLater)
		return errors.Join(cause, err)
	case !committed:
		return cause
	}
	return nil
}

// settle looks up the commit whose outcome is unknown, if there is one, and reports
// whether it was committed. In that case the followers apply its changes first. The
// caller holds mu.
func (s *Store) settle(ctx context.Context) (committed bool, err error) {
	if s.doubt == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	// A connection for reading is not part of the commit and sees only its outcome.
	var found int
	const count = "SELECT count(*) FROM changes WHERE number = ? AND uid = ?"
	last := s.doubt.last()
	if err := s.reads.QueryRowContext(ctx, count, last.Number, last.UID).Scan(&found); err != nil {
		return false, fmt.Errorf("look up the outcome of change %d: %w: %w", last.Number, err, store.ErrUnsettled)
	}
	if committed = found > 0; committed {
		s.acknowledge(s.doubt)
	}
	s.doubt = nil
	s.inDoubt.Store(false)
	return committed, nil
}

// settleLater repeats settle until the outcome is known or the store is closed.
func (s *Store) settleLater() {
	ticker := time.NewTicker(s.retryLookUp)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.closing:
			return
		}
		s.mu.Lock()
		_, err := s.settle(context.Background())
		s.mu.Unlock()
		if err == nil {
			return
		}
	}
}
