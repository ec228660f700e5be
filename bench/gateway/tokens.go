package main

import (
	"context"
	"path/filepath"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

var manyTokens = measure.Sized(1_000_000, 1000)

const (
	// revoked is how many tokens are revoked, one after another, on each side.
	revoked = 9
	// entrySize is that of a token's entry in the gateway's table, in bytes: a
	// digest of 32 and a grant of 48.
	entrySize = 80
)

// measureTokens starts a server without tokens and with a million of them.
func measureTokens(ctx context.Context, dir string) ([]measure.Result, error) {
	data := filepath.Join(dir, "data")
	empty, err := stage.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	namespace, err := empty.Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	few, err := createTokens(ctx, empty, namespace.ID)
	if err != nil {
		return nil, err
	}
	revokedAlone, err := revoke(ctx, empty, few)
	if err != nil {
		return nil, err
	}
	before, err := empty.Stop()
	if err != nil {
		return nil, err
	}
	ids, err := stage.Seed(ctx, filepath.Join(data, "jeton.db"), namespace, manyTokens)
	if err != nil {
		return nil, err
	}
	full, err := stage.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	revokedAmongMany, err := revoke(ctx, full, ids[:revoked])
	if err != nil {
		return nil, err
	}
	after, err := full.Stop()
	if err != nil {
		return nil, err
	}
	single := func(id, unit, goal, note string, ours, reference float64) measure.Result {
		return measure.Compare(id, unit, goal, note, []float64{ours}, []float64{reference})
	}
	return []measure.Result{
		single("tokens-memory", "bytes", "< 200", "memory for each of a million tokens; the reference is an entry's own size", float64(max(after-before, 0)/int64(manyTokens)), entrySize),
		single("tokens-start", "s", "", "from start to ready with a million tokens, beside none", full.Took.Seconds(), empty.Took.Seconds()),
		measure.Compare("tokens-revoke", "ms", "", "one revocation with a million tokens, beside one with nine", revokedAmongMany, revokedAlone),
	}, nil
}

func createTokens(ctx context.Context, s *stage.Server, namespaceID string) (ids []string, err error) {
	for range revoked {
		token, err := s.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID}, scw.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		ids = append(ids, token.ID)
	}
	return ids, nil
}

// revoke deletes tokens, and returns the milliseconds that each took.
func revoke(ctx context.Context, s *stage.Server, ids []string) (took []float64, err error) {
	for _, id := range ids {
		began := time.Now()
		if _, err := s.DeleteToken(&function.DeleteTokenRequest{TokenID: id}, scw.WithContext(ctx)); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	return took, nil
}
