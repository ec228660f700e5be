package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

var (
	manyTokens = measure.Sized(1_000_000, 1000)
	listRounds = measure.Sized(51, 3)
)

// fewTokens are those of the reference: what a page costs where nothing is to be
// passed over.
const fewTokens = 200

// listTokens measures pages of 100 out of a million tokens, and one token, beside
// the same out of two hundred.
func listTokens(ctx context.Context, dir string) ([]measure.Result, error) {
	data := filepath.Join(dir, "list")
	s, err := stage.Start(ctx, data)
	if err != nil {
		return nil, err
	}
	many, err := s.Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	few, err := s.Namespace(ctx, "few")
	if err != nil {
		return nil, err
	}
	if _, err := s.Stop(); err != nil {
		return nil, err
	}
	ofMany, err := stage.Seed(ctx, filepath.Join(data, "jeton.db"), many, manyTokens)
	if err != nil {
		return nil, err
	}
	ofFew, err := stage.Seed(ctx, filepath.Join(data, "jeton.db"), few, fewTokens)
	if err != nil {
		return nil, err
	}
	if s, err = stage.Start(ctx, data); err != nil {
		return nil, err
	}
	if err := settled(ctx, s); err != nil {
		return nil, err
	}
	page := func(namespaceID string, number int) string {
		return fmt.Sprintf("/tokens?namespace_id=%s&page_size=100&page=%d", namespaceID, number)
	}
	var results []measure.Result
	for _, m := range []struct{ id, goal, note, ours, reference string }{
		{"token-list-first", "< 5 ms", "the first page", page(many.ID, 1), page(few.ID, 1)},
		{"token-list-last", "< 5 ms", "the last page", page(many.ID, manyTokens/100), page(few.ID, fewTokens/100)},
		{"token-list-middle", "", "the page in the middle, the dearest of all", page(many.ID, manyTokens/200), page(few.ID, 1)},
		{"token-get", "< 5 ms", "one token", "/tokens/" + ofMany[manyTokens/2], "/tokens/" + ofFew[fewTokens/2]},
	} {
		ours, reference, err := compareGets(ctx, s, m.ours, m.reference)
		if err != nil {
			return nil, err
		}
		results = append(results, measure.Compare(m.id, "ms", m.goal, m.note+" of a million tokens beside that of two hundred", ours, reference))
	}
	_, err = s.Stop()
	return results, err
}

// compareGets asks for both in turn, and returns the milliseconds that each took.
func compareGets(ctx context.Context, s *stage.Server, ours, reference string) (a, b []float64, err error) {
	for round := range listRounds + 1 {
		x, err := get(ctx, s, ours)
		if err != nil {
			return nil, nil, err
		}
		y, err := get(ctx, s, reference)
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			a, b = append(a, x), append(b, y)
		}
	}
	return a, b, nil
}

// get returns the milliseconds until an answer is read. It is no client's: to
// decode the answer takes as long as to have it.
func get(ctx context.Context, s *stage.Server, path string) (float64, error) {
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
	return milliseconds(time.Since(began)), nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
