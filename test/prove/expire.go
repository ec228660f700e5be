package main

import (
	"context"
	"fmt"
	"time"
)

const expiring = 60

// expireUnderLoad uses tokens before and after the second at which they expire.
func expireUnderLoad(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "expire")
	if err != nil {
		return "", err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 4)
	if err != nil {
		return "", err
	}
	// The first expire when all are made and the load has begun.
	first := time.Now().Add(4 * time.Second)
	tickets, err := v.tickets(ctx, expiring, func(i int) *time.Time {
		at := first.Add(time.Duration(i%6) * time.Second)
		return &at
	}, f)
	if err != nil {
		return "", err
	}
	l := &load{gateway: v.gateway, tickets: tickets}
	running, stop := context.WithDeadline(ctx, first.Add(8*time.Second))
	defer stop()
	l.begin(running)
	l.group.Wait()
	line := fmt.Sprintf("%d tokens expired under load, %d calls admitted before, %d sent at or after the second, %d of them admitted",
		expiring, l.admitted.Load(), l.late.Load(), l.broken.Load())
	if l.broken.Load() > 0 || l.late.Load() < expiring || l.admitted.Load() < expiring {
		return line, errBroken
	}
	return line, ctx.Err()
}
