package server

import (
	"context"
	"runtime/debug"
	"time"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/internal/usage"
)

// views are copies of objects in memory that decide on calls and requests. They are
// empty until follow.
type views struct {
	table     *gateway.Table
	directory *iam.Directory
	keys      *token.KeySet
	uses      *usage.Recorder
	adopter   *foreign.Adopter
}

func newViews(b *base) (*views, error) {
	table, directory := gateway.NewTable(), iam.NewDirectory()
	uses, err := usage.NewRecorder(usage.RecorderConfig{
		Sources: map[usage.Kind]usage.Source{usage.APIKeys: directory.Uses, usage.Tokens: table.Uses},
		Store:   b.store, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	adopter, err := foreign.New(foreign.Config{Store: b.store, Log: b.log})
	if err != nil {
		return nil, err
	}
	look := table.ObjectName
	b.names.look.Store(&look)
	return &views{table: table, directory: directory, keys: token.NewKeySet(), uses: uses, adopter: adopter}, nil
}

// follow makes all views apply every change of the store. The views that admit calls
// come first, so that a revocation does not wait for the others. wrap is nil except in
// proofs.
func follow(ctx context.Context, b *base, o *observability, v *views, c *calls, d *deployments,
	wrap func(store.Follower) store.Follower,
) (*store.Fanout, error) {
	all := store.NewFanout(
		store.Directory(v.directory), v.table, v.adopter,
		store.Hook{OnChange: func(change store.Change) { o.metrics.Revoked(change, b.config.Now()) }},
		v.keys, o.metrics, o.console.view, d.reconciler, c.crons, c.triggers,
		store.Hook{OnChange: func(store.Change) { c.gateway.Recheck() }, OnReload: c.gateway.Recheck},
	)
	var follower store.Follower = all
	if wrap != nil {
		follower = wrap(follower)
	}
	// The position of the node stands for that of all followers, so it is the last.
	follower = store.NewFanout(b.node.First(), follower, b.node.Follower())
	if err := b.store.Follow(ctx, store.Position{}, follower); err != nil {
		return nil, err
	}
	// Loading a million tokens allocates more garbage than tokens.
	debug.FreeOSMemory()
	return all, nil
}

// settledKeys is the directory of API keys while the node has its lease and the outcome
// of every commit is known.
type settledKeys struct {
	*iam.Directory

	settled func() bool
}

// Authenticate returns the API key with a secret key. Returns store.ErrUnsettled
// while the directory may contain a deleted key.
func (k settledKeys) Authenticate(secretKey string, now time.Time) (iam.APIKey, error) {
	if !k.settled() {
		return iam.APIKey{}, store.ErrUnsettled
	}
	return k.Directory.Authenticate(secretKey, now)
}

// Recheck returns the API key with an access key, if it is still valid. Returns
// store.ErrUnsettled while the directory may contain a deleted key.
func (k settledKeys) Recheck(accessKey string, now time.Time) (iam.APIKey, error) {
	if !k.settled() {
		return iam.APIKey{}, store.ErrUnsettled
	}
	return k.Directory.Recheck(accessKey, now)
}
