package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/internal/token"
)

var readyRounds = harness.Sized(7, 1)

// readyNamespaces measures the time from the creation of a namespace until a client
// that polls every two milliseconds sees it ready. It compares that with the
// generation of the namespace's key pair, which runs ahead of need.
func readyNamespaces(ctx context.Context, dir string) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	timed := func(do func() error) func() (float64, error) {
		return func() (float64, error) {
			if err := s.Settle(ctx); err != nil {
				return 0, err
			}
			began := time.Now()
			err := do()
			return harness.Milliseconds(time.Since(began)), err
		}
	}
	round := 0
	took, err := harness.Rounds(readyRounds,
		timed(func() error {
			round++
			_, err := s.Namespace(ctx, fmt.Sprintf("ready-%d", round))
			return err
		}),
		timed(func() error {
			_, err := token.GenerateKeyPair(token.KeyBits)
			return err
		}))
	if err != nil {
		return nil, err
	}
	return []harness.Result{
		harness.Compare("namespace-ready", "ms", "< 100 ms", "from POST of a namespace to ready, compared with the generation of a key pair", took[0], took[1]),
	}, s.Stop()
}
