package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/cluster/identity"
	"github.com/jeton-dev/jeton/internal/cluster/peers"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

const (
	// incarnationFile is the file of the data folder with the incarnation of the process
	// that has used the folder last.
	incarnationFile = "incarnation"
	// cordonedFile is the file of the data folder that exists while the node is cordoned.
	cordonedFile = "cordoned"
)

// member is this process as a node.
type member struct {
	node *cluster.Node
	// identity and peers are nil if no other process can use the database.
	identity *identity.Identity
	peers    *peers.Peers
}

// newMember returns this process as a node: the only one of an SQLite database, or one of
// several that share a PostgreSQL database.
func newMember(ctx context.Context, config Config, log *slog.Logger, data folder, s *storage, l *listeners) (*member, error) {
	shared, ok := s.store.(*postgres.Store)
	if !ok {
		return &member{node: cluster.Alone(s.store, config.Node)}, nil
	}
	m := new(member)
	var err error
	m.identity, err = identity.Open(ctx, identity.Config{
		Settings: shared, Setting: postgres.ClusterAuthoritySetting, Sealer: s.sealer, Now: config.Now, Log: log,
		Incarnation: func() string { return m.node.Incarnation() },
	})
	if err != nil {
		return nil, err
	}
	if m.peers, err = peers.New(peers.Config{Identity: m.identity, Log: log, MaxConnections: config.Traffic.Connections}); err != nil {
		return nil, err
	}
	if m.node, err = newNode(config, log, data, shared, m.peers, l); err != nil {
		return nil, err
	}
	m.peers.Attach(m.node)
	return m, nil
}

// homes implements gateway.Homes.
type homes struct {
	*cluster.Node

	peers *peers.Peers
}

// RoundTrip implements gateway.Homes.
func (h homes) RoundTrip(home store.Member, r *http.Request) (*http.Response, error) {
	return h.peers.RoundTrip(home, r)
}

// homes returns nil if this node is the home of all functions.
func (m *member) homes() gateway.Homes {
	if m.peers == nil {
		return nil
	}
	return homes{m.node, m.peers}
}

func newNode(config Config, log *slog.Logger, data folder, shared *postgres.Store, peers cluster.Peers, l *listeners) (*cluster.Node, error) {
	previous, err := os.ReadFile(data.path(incarnationFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	node, err := cluster.New(cluster.Config{
		Store: shared, Registry: shared, Peers: peers, Name: config.Node, Address: cmp.Or(config.ClusterAddress, localAddress(l.cluster)), Version: config.Version,
		Blobs: config.Blobs, Lease: config.Lease, Margin: config.LeaseMargin,
		// The folder is locked, so the process before has ended.
		Previous: strings.TrimSpace(string(previous)),
		Joined: func(incarnation string) error {
			return renameio.WriteFile(data.path(incarnationFile), []byte(incarnation+"\n"), 0o600, renameio.WithTempDir(string(data)))
		},
		Cordoned: data.has(cordonedFile), NoteCordon: data.noteCordon,
		Clock: clockOf(config), NewID: config.NewID, Log: log,
	})
	if err != nil {
		return nil, err
	}
	shared.OnFork(node.Forked)
	shared.OnFailover(node.FailedOver)
	return node, nil
}

// noteCordon creates or removes the file of a cordoned node.
func (f folder) noteCordon(cordoned bool) error {
	if cordoned {
		return renameio.WriteFile(f.path(cordonedFile), nil, 0o600, renameio.WithTempDir(string(f)))
	}
	if err := os.Remove(f.path(cordonedFile)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// clockOf returns the clocks of leases. The time of day is that of the configuration, so
// that the offset of the database's clock refers to it.
func clockOf(config Config) cluster.Clock {
	return func() cluster.Instant {
		now := cluster.SystemClock()
		now.Time = config.Now()
		return now
	}
}

// settled reports whether the views of this server contain every change that was answered
// anywhere.
func (b *base) settled() bool { return b.node.Held() && b.store.Settled() }

// checkNode returns an error for settings of a node that cannot be used, and sets Node.
func (c *Config) checkNode() error {
	c.Node = cmp.Or(c.Node, machineName())
	if !domainName.MatchString(c.Node) {
		return fmt.Errorf("node-name %q is not a name: use letters, digits, dots and hyphens", c.Node)
	}
	if c.Lease <= 0 || c.LeaseMargin <= 0 {
		return fmt.Errorf("lease is %v and lease-margin %v: both must be positive", c.Lease, c.LeaseMargin)
	}
	return nil
}
