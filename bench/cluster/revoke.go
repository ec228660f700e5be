package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// revocations is the number of tokens that are deleted, each beside one commit of
// PostgreSQL.
var revocations = harness.Sized(600, 20)

// revoke measures the deletion of a token through one of three nodes, until all have
// applied it.
func revoke(ctx context.Context, dir string) ([]harness.Result, error) {
	return inCluster(ctx, dir, func(w *world) ([]harness.Result, error) {
		n, err := w.nodes[0].Namespace(ctx, "revoke")
		if err != nil {
			return nil, err
		}
		var tokens []string
		for range revocations {
			t, err := w.nodes[0].CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}, scw.WithContext(ctx))
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, t.ID)
		}
		conn, err := pgx.Connect(ctx, w.Database)
		if err != nil {
			return nil, err
		}
		defer func() { _ = conn.Close(ctx) }()
		next := 0
		samples, err := harness.Rounds(revocations,
			func() (float64, error) {
				node := w.nodes[next%len(w.nodes)]
				began := time.Now()
				_, err := node.DeleteToken(&function.DeleteTokenRequest{TokenID: tokens[next]}, scw.WithContext(ctx))
				next++
				return harness.Milliseconds(time.Since(began)), err
			},
			func() (float64, error) { return commit(ctx, conn) })
		if err != nil {
			return nil, err
		}
		const note = "deletion of a token through one of three nodes over HTTP, until all have applied it, compared with one commit of PostgreSQL"
		p99 := func(side int) []float64 { return []float64{harness.Percentile(samples[side], 99)} }
		return []harness.Result{
			harness.Compare("cluster-revoke-p50", "ms", "<= 10 ms", note, samples[0], samples[1]),
			harness.Compare("cluster-revoke-p99", "ms", "<= 50 ms", note, p99(0), p99(1)),
		}, nil
	})
}

// commit returns the duration of one commit that reaches the disk, in milliseconds.
func commit(ctx context.Context, conn *pgx.Conn) (float64, error) {
	began := time.Now()
	_, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'bench', '')")
	return harness.Milliseconds(time.Since(began)), err
}

// propagations is the number of changes of propagate.
var propagations = harness.Sized(600, 20)

// propagate measures the time from the end of a commit at one node until another node has
// applied the change.
func propagate(ctx context.Context, dir string) (results []harness.Result, err error) {
	w, err := newWorld(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	var stores [2]*postgres.Store
	applied := make(chan time.Time, 1)
	for i, onChange := range []func(store.Change){func(store.Change) {}, func(store.Change) { applied <- time.Now() }} {
		if stores[i], err = postgres.Open(ctx, w.Database, time.Now); err != nil {
			return nil, err
		}
		defer func() { _ = stores[i].Close() }()
		if err := stores[i].Follow(ctx, store.Position{}, store.Hook{OnChange: onChange}); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.Connect(ctx, w.Database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	samples, err := harness.Rounds(propagations,
		func() (float64, error) {
			err := stores[0].Update(ctx, func(tx store.Tx) error { return tx.Put(iam.Project{ID: "p", OrganizationID: "o", Name: "p"}) })
			began := time.Now()
			if err != nil {
				return 0, err
			}
			// The other node may have been faster than the return of Update.
			return max(harness.Milliseconds((<-applied).Sub(began)), 0), nil
		},
		func() (float64, error) { return commit(ctx, conn) })
	if err != nil {
		return nil, err
	}
	return []harness.Result{harness.Compare("cluster-propagation-p50", "ms", "<= 5 ms",
		"from the end of a change at one node until another has applied it, compared with one commit of PostgreSQL", samples[0], samples[1])}, nil
}
