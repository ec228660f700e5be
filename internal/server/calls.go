package server

import (
	"context"

	"github.com/jeton-dev/jeton/internal/broker"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/schedule"
)

// calls are the parts that call functions: for clients, crons and triggers.
type calls struct {
	gateway  *gateway.Gateway
	crons    *schedule.Crons
	triggers *schedule.Triggers
	brokers  *broker.Brokers
	feed     *callFeed
	launcher *launcher
}

// A launcher launches functions of which this node has become the home.
type launcher struct {
	// reconciler is set before the gateway serves.
	reconciler *reconcile.Reconciler
}

func (l *launcher) launched(ctx context.Context, functionID string) error {
	return l.reconciler.Launched(ctx, functionID)
}

func newCalls(b *base, o *observability, i *instances, v *views) (*calls, error) {
	brokers, err := loadBrokers(b)
	if err != nil {
		return nil, err
	}
	c, feed, launcher := b.config, newCallFeed(), new(launcher)
	g, err := gateway.New(gateway.Config{
		Table: v.table, Keys: v.directory, Settled: b.settled, Instances: i.scaler, Dialer: i.dialer, Launched: launcher.launched, PassToken: c.PassToken,
		MaxPayload: c.Limits.PayloadSize, Limits: c.Traffic.Limits, MinBodyRate: c.Traffic.MinBodyRate,
		Memory: b.traffic.bodies, HeaderMemory: b.traffic.heads,
		RefuseTokens: c.RefuseTokens, RefuseKeys: c.RefuseAPIKeys, Proxies: c.TrustedProxies, Adopter: v.adopter,
		Now: b.clock.Now, NewID: c.NewID, Log: b.log, Observer: o.callObserver(failedCalls{i.recorder}, feed, refusals{o.console.view}), HostsOnly: !c.GatewayPaths,
		Homes: b.homes(), PublicWithoutLease: c.PublicWithoutLease,
	})
	if err != nil {
		return nil, err
	}
	if b.peers != nil {
		b.peers.HandleCalls(g.Forwarded(), g.Interim)
	}
	crons, err := schedule.NewCrons(schedule.CronsConfig{
		Owners: b.node, Calls: g.Internal(), Grace: c.StopTimeout, Now: c.Now, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	triggers, err := schedule.NewTriggers(schedule.TriggersConfig{
		Owns: b.node.Owns, Brokers: brokers, Calls: g.Internal(), Grace: c.StopTimeout, Log: b.log, Observer: o.metrics.Triggers(),
	})
	if err != nil {
		return nil, err
	}
	b.node.Subscribe(crons.OwnersChanged)
	b.node.Subscribe(triggers.OwnersChanged)
	return &calls{gateway: g, crons: crons, triggers: triggers, brokers: brokers, feed: feed, launcher: launcher}, nil
}

// loadBrokers reads the brokers file, if one is configured.
func loadBrokers(b *base) (*broker.Brokers, error) {
	c := broker.BrokersConfig{Opener: b.sealer, Anywhere: b.config.QueuesAnywhere}
	if b.config.Brokers != "" {
		var err error
		if c.Config, err = broker.Load(b.config.Brokers); err != nil {
			return nil, err
		}
	}
	return broker.New(c)
}
