package sqlite

import (
	"context"
	"time"
)

// OpenWith is Open with the driver of a name, and with the time between two
// look-ups of a commit in doubt.
func OpenWith(ctx context.Context, driver, path string, retry time.Duration) (*Store, error) {
	s, err := open(ctx, driver, path, time.Now)
	if err == nil {
		s.retryLookUp = retry
	}
	return s, err
}
