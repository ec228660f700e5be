package client

import (
	"context"
	"time"
)

// backoff yields pauses that grow by a factor up to a maximum.
type backoff struct {
	next, maximum time.Duration
	growth        float64
}

func (b *backoff) step() time.Duration {
	pause := b.next
	b.next = min(time.Duration(float64(pause)*b.growth), b.maximum)
	return pause
}

// sleep waits for d. It returns the context's error if the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
