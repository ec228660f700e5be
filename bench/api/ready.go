package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
	"github.com/jeton-dev/jeton/internal/token"
)

var readyRounds = measure.Sized(7, 1)

// readyNamespaces measures how long a namespace takes from its creation until it
// is ready, as a client that looks every two milliseconds sees it, beside the
// making of its key pair, which it does not wait for.
func readyNamespaces(ctx context.Context, dir string) ([]measure.Result, error) {
	s, err := stage.Start(ctx, filepath.Join(dir, "ready"))
	if err != nil {
		return nil, err
	}
	var ready, made []float64
	for round := range readyRounds {
		if err := settled(ctx, s); err != nil {
			return nil, err
		}
		began := time.Now()
		if _, err := s.Namespace(ctx, fmt.Sprintf("ready-%d", round)); err != nil {
			return nil, err
		}
		ready = append(ready, milliseconds(time.Since(began)))
		if err := settled(ctx, s); err != nil {
			return nil, err
		}
		began = time.Now()
		if _, err := token.GenerateKeyPair(token.KeyBits); err != nil {
			return nil, err
		}
		made = append(made, milliseconds(time.Since(began)))
	}
	_, err = s.Stop()
	return []measure.Result{
		measure.Compare("namespace-ready", "ms", "< 100 ms", "from POST of a namespace to ready, beside the making of a key pair", ready, made),
	}, err
}
