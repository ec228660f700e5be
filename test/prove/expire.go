package main

import (
	"context"
	"fmt"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
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
	l, err := v.expire(ctx, f, []string{v.gateway})
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%d tokens expired under load, %d calls admitted before, %d sent at or after the second of expiry, %d of them admitted",
		expiringTokens, l.admitted.Load(), l.late.Load(), l.lateAdmitted.Load())
	if l.lateAdmitted.Load() > 0 || l.late.Load() < expiringTokens || l.admitted.Load() < expiringTokens {
		return line, errBroken
	}
	return line, ctx.Err()
}

// expire calls a function at the gateways with tokens that expire during the calls.
func (v *jeton) expire(ctx context.Context, f *function.Function, gateways []string) (*load, error) {
	// The first tokens expire after all are created and the load has begun.
	first := time.Now().Add(6 * time.Second)
	tokens, err := v.tokens(ctx, expiringTokens, func(i int) *time.Time {
		at := first.Add(time.Duration(i%6) * time.Second)
		return &at
	}, f)
	if err != nil {
		return nil, err
	}
	l := &load{gateways: gateways, tokens: tokens}
	running, stop := context.WithDeadline(ctx, first.Add(8*time.Second))
	defer stop()
	l.begin(running)
	l.group.Wait()
	return l, nil
}

// expireInCluster does the same at nodes whose clocks differ from that of the database,
// which is the clock of this process: one is three seconds behind, one two seconds ahead.
func expireInCluster(ctx context.Context, h *harness) (string, error) {
	c, err := h.newCluster(ctx, clockFlag+"=0s", clockFlag+"=-3s", clockFlag+"=2s")
	if err != nil {
		return "", err
	}
	defer func() { _ = c.close() }()
	v := c.nodes[0]
	namespaceID, err := v.namespace(ctx, "expire")
	if err != nil {
		return "", err
	}
	f, err := v.deploy(ctx, namespaceID, "f", fast, 4)
	if err != nil {
		return "", err
	}
	l, err := v.expire(ctx, f, c.gateways())
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("cluster, clocks 3 s behind and 2 s ahead: %d tokens expired under load, %d calls admitted before, %d sent at or after the second of expiry, %d of them admitted",
		expiringTokens, l.admitted.Load(), l.late.Load(), l.lateAdmitted.Load())
	if l.lateAdmitted.Load() > 0 || l.late.Load() < expiringTokens || l.admitted.Load() < expiringTokens {
		return line, errBroken
	}
	return line, ctx.Err()
}
