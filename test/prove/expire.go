package main

import (
	"context"
	"fmt"
	"time"
)

// expiringTokens is the number of tokens that expire.
const expiringTokens = 60

// expireUnderLoad uses tokens before and after the second at which they expire.
func expireUnderLoad(ctx context.Context, h *harness) (string, error) {
	v, namespaceID, err := h.newServerWithNamespace(ctx, "expire")
	if err != nil {
		return "", err
	}
	defer v.stop()
	f, err := v.deploy(ctx, namespaceID, "f", fast, 4)
	if err != nil {
		return "", err
	}
	// The first tokens expire after all are created and the load has begun.
	first := time.Now().Add(4 * time.Second)
	tokens, err := v.tokens(ctx, expiringTokens, func(i int) *time.Time {
		at := first.Add(time.Duration(i%6) * time.Second)
		return &at
	}, f)
	if err != nil {
		return "", err
	}
	l := &load{gateways: []string{v.gateway}, tokens: tokens}
	running, stop := context.WithDeadline(ctx, first.Add(8*time.Second))
	defer stop()
	l.begin(running)
	l.group.Wait()
	line := fmt.Sprintf("%d tokens expired under load, %d calls admitted before, %d sent at or after the second of expiry, %d of them admitted",
		expiringTokens, l.admitted.Load(), l.late.Load(), l.lateAdmitted.Load())
	if l.lateAdmitted.Load() > 0 || l.late.Load() < expiringTokens || l.admitted.Load() < expiringTokens {
		return line, errBroken
	}
	return line, ctx.Err()
}
