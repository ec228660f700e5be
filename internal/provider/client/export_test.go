package client

import "context"

// Poll is poll, for a test of its pace.
func Poll(ctx context.Context, look func() (int, bool, error)) (int, error) {
	return poll(ctx, look)
}
