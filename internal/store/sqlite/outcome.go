package sqlite

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

const (
	// lookUp bounds one look-up of a commit, retryLookUp is the time between two.
	lookUp      = 5 * time.Second
	retryLookUp = time.Second
)

// newUID returns a value that no other change has.
func newUID() string { return rand.Text() }

// Settled reports whether the outcome of every commit is known. While it is
// false, the followers may have missed a change that is in the file already, such
// as the deletion of a token, and no view that they keep may admit anybody.
// It never blocks.
func (s *Store) Settled() bool { return !s.inDoubt.Load() }

// commitFailed finds out whether a commit that returned an error took place. It
// returns nil if it did. The caller holds mu.
func (s *Store) commitFailed(ctx context.Context, c *commit, cause error) error {
	cause = fmt.Errorf("commit: %w", cause)
	s.doubt = c
	committed, err := s.settle(ctx)
	switch {
	case err != nil:
		// Nobody has been answered yet: until here, what was true before the
		// change may be acted on. From here on nothing may be admitted.
		s.inDoubt.Store(true)
		s.background.Go(s.settleLater)
		return errors.Join(cause, err)
	case !committed:
		return cause
	}
	return nil
}

// settle looks up the commit that is in doubt, if there is one, and reports
// whether it took place. If it did, the followers are told before anybody may act
// on the outcome. The caller holds mu.
func (s *Store) settle(ctx context.Context) (committed bool, err error) {
	if s.doubt == nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookUp)
	defer cancel()
	// A reader's connection has no part in the commit and sees only what took place.
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

// settleLater looks the commit up until its outcome is known or the store closes.
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
