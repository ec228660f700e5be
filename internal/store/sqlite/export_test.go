package sqlite

import (
	"context"
	"time"
)

// OpenWith is Open with a named driver, and with the time between two look-ups of a
// commit whose outcome is unknown.
func OpenWith(ctx context.Context, driver, path string, retry time.Duration) (*Store, error) {
	s, err := open(ctx, driver, path, time.Now)
	if err == nil {
		s.retryLookUp = retry
	}
	return s, err
}
