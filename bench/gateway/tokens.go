package main

import (
	"context"
	"path/filepath"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
)

var manyTokens = harness.Sized(1_000_000, 1000)

const (
	// revoked is the number of tokens that are revoked, one after another, per side.
	revoked = 9
	// entrySize is the size of a token's entry in the gateway's table, in bytes: a
	// digest of 32 and a grant of 48.
	entrySize = 80
)

// measureTokens compares a server with a million tokens with one that has nine.
func measureTokens(ctx context.Context, dir string) ([]harness.Result, error) {
	data := filepath.Join(dir, "data")
	few, err := harness.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	defer few.Close()
	namespace, err := few.Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	fewIDs, err := createTokens(ctx, few, namespace.ID)
	if err != nil {
		return nil, err
	}
	fewTook, fewBytes, err := revokeAndStop(ctx, few, fewIDs)
	if err != nil {
		return nil, err
	}
	manyIDs, err := harness.Seed(ctx, filepath.Join(data, "jeton.db"), namespace, manyTokens)
	if err != nil {
		return nil, err
	}
	many, err := harness.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	defer many.Close()
	manyTook, manyBytes, err := revokeAndStop(ctx, many, manyIDs[:revoked])
	if err != nil {
		return nil, err
	}
	single := func(id, unit, goal, note string, ours, reference float64) harness.Result {
		return harness.Compare(id, unit, goal, note, []float64{ours}, []float64{reference})
	}
	return []harness.Result{
		single("tokens-memory", "bytes", "< 200", "memory of each of a million tokens; the reference is the size of an entry", float64(max(manyBytes-fewBytes, 0)/int64(manyTokens)), entrySize),
		single("tokens-start", "s", "", "from start to ready with a million tokens, compared with none", many.StartTime.Seconds(), few.StartTime.Seconds()),
		harness.Compare("tokens-revoke", "ms", "", "one revocation with a million tokens, compared with nine", manyTook, fewTook),
	}, nil
}

func createTokens(ctx context.Context, s *harness.Server, namespaceID string) (ids []string, err error) {
	for range revoked {
		token, err := s.CreateToken(&function.CreateTokenRequest{NamespaceID: &namespaceID}, scw.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		ids = append(ids, token.ID)
	}
	return ids, nil
}

// revokeAndStop deletes tokens and stops the server. It returns the milliseconds of
// each deletion, and the server's resident memory before it stops.
func revokeAndStop(ctx context.Context, s *harness.Server, ids []string) (took []float64, bytes int64, err error) {
	for _, id := range ids {
		began := time.Now()
		if _, err := s.DeleteToken(&function.DeleteTokenRequest{TokenID: id}, scw.WithContext(ctx)); err != nil {
			return nil, 0, err
		}
		took = append(took, harness.Milliseconds(time.Since(began)))
	}
	if bytes, err = harness.ResidentBytes(s.PID()); err != nil {
		return nil, 0, err
	}
	return took, bytes, s.Stop()
}
