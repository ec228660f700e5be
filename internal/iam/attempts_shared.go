package iam

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	// exchangeInterval is the time between two exchanges, and exchangeTimeout bounds one.
	exchangeInterval = time.Second
	exchangeTimeout  = 5 * time.Second
	// maxExchanged is the maximum number of networks that one exchange adds. Those with
	// the most failures come first; others wait for the next exchange.
	maxExchanged = 256
)

// SharedAttempts exchanges counts of failures by network with other nodes.
type SharedAttempts interface {
	// Exchange adds the counts of this node, and returns those that other nodes have added
	// since the last call. After an error the counts of this node may be lost.
	Exchange(ctx context.Context, counts map[netip.Prefix]int) (others map[netip.Prefix]int, err error)
}

// ShareConfig has the dependencies of Share. All fields are required.
type ShareConfig struct {
	With SharedAttempts
	Now  func() time.Time
	Log  *slog.Logger
}

// Share exchanges failures with other nodes every second until ctx ends, so that the limit
// applies to all nodes together: a failure at one node counts at the others about a second
// later. It logs the first of several errors. While an exchange fails, each node has a limit
// of its own.
func (a *Attempts) Share(ctx context.Context, c ShareConfig) error {
	if c.With == nil || c.Now == nil || c.Log == nil {
		return errors.New("share attempts: With, Now and Log are required")
	}
	ticker := time.NewTicker(exchangeInterval)
	defer ticker.Stop()
	failing := false
	for ctx.Err() == nil {
		err := a.Exchange(ctx, c.With, c.Now)
		if ctx.Err() == nil && (err != nil) != failing {
			if failing = err != nil; failing {
				c.Log.WarnContext(ctx, "wrong API keys at other nodes do not count at this node, trying again", "error", err)
			} else {
				c.Log.InfoContext(ctx, "wrong API keys at other nodes count at this node again")
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// Exchange exchanges failures with other nodes once. It does nothing without a limit.
func (a *Attempts) Exchange(ctx context.Context, with SharedAttempts, now func() time.Time) error {
	if a.perMinute == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	others, err := with.Exchange(ctx, a.takeCounts())
	if err != nil {
		return err
	}
	at := now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for network, count := range others {
		charge(a.limiter(network), count, at)
	}
	return nil
}

// takeCounts returns and resets the counts of the networks with the most failures. From the
// first call on, failures are counted.
func (a *Attempts) takeCounts() map[netip.Prefix]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.counts == nil {
		a.counts = map[netip.Prefix]int{}
	}
	taken := a.counts
	a.counts = map[netip.Prefix]int{}
	if len(taken) <= maxExchanged {
		return taken
	}
	networks := make([]netip.Prefix, 0, len(taken))
	for network := range taken {
		networks = append(networks, network)
	}
	slices.SortFunc(networks, func(x, y netip.Prefix) int {
		return cmp.Or(cmp.Compare(taken[y], taken[x]), x.Compare(y))
	})
	for _, network := range networks[maxExchanged:] {
		a.counts[network] = taken[network]
		delete(taken, network)
	}
	return taken
}

// count counts a failure for the next exchange. The caller holds mu.
func (a *Attempts) count(network netip.Prefix) {
	if _, known := a.counts[network]; a.counts != nil && (known || len(a.counts) < maxNetworks) {
		a.counts[network]++
	}
}

// charge takes count tokens from a limiter, but at most those of a minute. Tokens that it
// does not have are a debt: without it, each node would admit the failures of a limit of its
// own between two exchanges.
func charge(limiter *rate.Limiter, count int, now time.Time) {
	limiter.ReserveN(now, min(count, limiter.Burst()))
}
