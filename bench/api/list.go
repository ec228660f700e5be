package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
)

var (
	manyTokens = harness.Sized(1_000_000, 1000)
	listRounds = harness.Sized(51, 3)
)

// fewTokens is the number of tokens of the baseline, where a page costs nothing but
// itself.
const fewTokens = 200

// listTokens measures pages of 100 tokens, and single tokens, in a namespace with a
// million tokens, and compares them with a namespace with two hundred.
func listTokens(ctx context.Context, dir string) ([]harness.Result, error) {
	data := filepath.Join(dir, "data")
	s, err := harness.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	defer func() { s.Close() }()
	many, err := s.Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	few, err := s.Namespace(ctx, "few")
	if err != nil {
		return nil, err
	}
	if err := s.Stop(); err != nil {
		return nil, err
	}
	database := filepath.Join(data, "jeton.db")
	manyIDs, err := harness.Seed(ctx, database, many, manyTokens)
	if err != nil {
		return nil, err
	}
	fewIDs, err := harness.Seed(ctx, database, few, fewTokens)
	if err != nil {
		return nil, err
	}
	if s, err = harness.Start(ctx, data); err != nil {
		return nil, err
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	page := func(namespaceID string, number int) string {
		return fmt.Sprintf("/tokens?namespace_id=%s&page_size=100&page=%d", namespaceID, number)
	}
	var results []harness.Result
	for _, m := range []struct{ id, goal, note, ours, reference string }{
		{"token-list-first", "< 5 ms", "the first page", page(many.ID, 1), page(few.ID, 1)},
		{"token-list-last", "< 5 ms", "the last page", page(many.ID, manyTokens/100), page(few.ID, fewTokens/100)},
		{"token-list-middle", "", "the page in the middle, which is the slowest,", page(many.ID, manyTokens/200), page(few.ID, 1)},
		{"token-get", "< 5 ms", "one token", "/tokens/" + manyIDs[manyTokens/2], "/tokens/" + fewIDs[fewTokens/2]},
	} {
		took, err := harness.WarmRounds(listRounds,
			func() (float64, error) { return get(ctx, s, m.ours) },
			func() (float64, error) { return get(ctx, s, m.reference) })
		if err != nil {
			return nil, err
		}
		results = append(results, harness.Compare(m.id, "ms", m.goal, m.note+" of a million tokens, compared with two hundred", took[0], took[1]))
	}
	return results, s.Stop()
}

// get returns the milliseconds until the answer is read. It does not decode the
// answer, because the decoding takes as long as the request.
func get(ctx context.Context, s *harness.Server, path string) (float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/functions/v1beta1/regions/fr-par"+path, nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("X-Auth-Token", s.SecretKey)
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", path, response.Status)
	}
	return harness.Milliseconds(time.Since(began)), nil
}
