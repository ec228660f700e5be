package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
)

var (
	createRounds = harness.Sized(7, 1)
	// created is the number of tokens per side and round.
	created = harness.Sized(100, 5)
	// many is the number of tokens that a node loads.
	many = harness.Sized(1_000_000, 10_000)
)

// createTokens compares the creation of tokens in a cluster with that of one server on
// SQLite.
func createTokens(ctx context.Context, dir string) ([]harness.Result, error) {
	single, err := harness.Start(ctx, filepath.Join(dir, "single"))
	if err != nil {
		return nil, err
	}
	defer single.Close()
	return inCluster(ctx, dir, func(w *world) ([]harness.Result, error) {
		var sides []func() (float64, error)
		for _, s := range []*harness.Server{w.nodes[0], single} {
			n, err := s.Namespace(ctx, "create")
			if err != nil {
				return nil, err
			}
			sides = append(sides, func() (float64, error) {
				began := time.Now()
				for range created {
					if _, err := s.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}, scw.WithContext(ctx)); err != nil {
						return 0, err
					}
				}
				return harness.Milliseconds(time.Since(began)) / float64(created), nil
			})
		}
		samples, err := harness.WarmRounds(createRounds, sides...)
		if err != nil {
			return nil, err
		}
		return []harness.Result{harness.Compare("cluster-token-create", "ms", "",
			"a token through one of three nodes on PostgreSQL, compared with one server on SQLite", samples[0], samples[1])}, nil
	})
}

// seedTokens adds tokens to a namespace that has one: copies with their own IDs and
// digests.
const seedTokens = `INSERT INTO tokens (id, region, project_id, namespace_id, created_at, body)
	SELECT i, t.region, t.project_id, t.namespace_id, t.created_at + n, (t.body::jsonb || jsonb_build_object('ID', i, 'Digest', encode(sha256(i::bytea), 'hex')))::text
	FROM (SELECT * FROM tokens WHERE namespace_id = $1 LIMIT 1) AS t, (SELECT n, gen_random_uuid()::text AS i FROM generate_series(1, $2::int) AS n) AS new`

// loadTokens measures the start of a node that loads many tokens, and their memory.
func loadTokens(ctx context.Context, dir string) (results []harness.Result, err error) {
	w, err := newWorld(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.add(ctx, 1); err != nil {
		return nil, err
	}
	n, err := w.nodes[0].Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	if _, err := w.nodes[0].CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	empty, emptyMemory, err := w.restart(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, w.Database)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		// Without the trigger that counts each row: it updates one row a million times.
		_, err := tx.Exec(ctx, "SET LOCAL session_replication_role = replica")
		if err == nil {
			_, err = tx.Exec(ctx, seedTokens, n.ID, many)
		}
		if err == nil {
			_, err = tx.Exec(ctx, "UPDATE tokens_counts SET count = count + $2 WHERE namespace_id = $1", n.ID, many)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("seed tokens: %w", err)
	}
	full, fullMemory, err := w.restart(ctx)
	if err != nil {
		return nil, err
	}
	// The memory of few tokens, in smoke mode, can be less than the noise.
	each := max(float64(fullMemory-emptyMemory)/float64(many), 1)
	return []harness.Result{
		harness.Compare("cluster-start-million", "s", "<= 15 s", fmt.Sprintf("start of a node with %d tokens, compared with one token", many), []float64{full}, []float64{empty}),
		harness.Compare("cluster-memory-per-token", "bytes", "<= 200", fmt.Sprintf("resident memory of a node per token, of %d; the reference is the goal", many), []float64{each}, []float64{200}),
	}, nil
}

// restart starts the only node again, and returns the seconds that it took and the
// resident memory.
func (w *world) restart(ctx context.Context) (seconds float64, memory int64, err error) {
	if err := w.nodes[0].Stop(); err != nil {
		return 0, 0, err
	}
	w.nodes = nil
	if err := w.add(ctx, 1); err != nil {
		return 0, 0, err
	}
	if err := w.nodes[0].Settle(ctx); err != nil {
		return 0, 0, err
	}
	memory, err = harness.ResidentBytes(w.nodes[0].PID())
	return w.nodes[0].StartTime.Seconds(), memory, err
}
