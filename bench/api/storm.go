package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
)

var stormReads = measure.Sized(2000, 100)

const stormWriters = 4

// readsUnderWrites measures how long it takes to read one namespace while four
// clients change others as fast as they can, beside the same in silence.
func readsUnderWrites(ctx context.Context, dir string) ([]measure.Result, error) {
	s, err := stage.Start(ctx, filepath.Join(dir, "storm"))
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range stormWriters + 1 {
		n, err := s.Namespace(ctx, fmt.Sprintf("storm-%d", i))
		if err != nil {
			return nil, err
		}
		ids = append(ids, n.ID)
	}
	if err := settled(ctx, s); err != nil {
		return nil, err
	}
	path := "/namespaces/" + ids[stormWriters]
	silent, err := read(ctx, s, path)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	var writers sync.WaitGroup
	failed := make(chan error, stormWriters)
	for _, id := range ids[:stormWriters] {
		writers.Go(func() { failed <- write(ctx, s, id, over) })
	}
	stormy, err := read(ctx, s, path)
	close(over)
	writers.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	if err != nil {
		return nil, err
	}
	_, err = s.Stop()
	const note = "GET of a namespace while four clients write, beside the same in silence"
	return []measure.Result{
		measure.Compare("reads-under-writes", "ms", "", note, stormy, silent),
		measure.Compare("reads-under-writes-p99", "ms", "", note, []float64{percentile(stormy)}, []float64{percentile(silent)}),
	}, err
}

func read(ctx context.Context, s *stage.Server, path string) (took []float64, err error) {
	for range stormReads {
		t, err := get(ctx, s, path)
		if err != nil {
			return nil, err
		}
		took = append(took, t)
	}
	return took, nil
}

// write changes a namespace until it is over.
func write(ctx context.Context, s *stage.Server, id string, over <-chan struct{}) error {
	for i := 0; ; i++ {
		select {
		case <-over:
			return nil
		default:
		}
		text := fmt.Sprint("change ", i)
		if _, err := s.UpdateNamespace(&function.UpdateNamespaceRequest{NamespaceID: id, Description: &text}, scw.WithContext(ctx)); err != nil {
			return err
		}
	}
}

// percentile is the 99th.
func percentile(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)*99/100]
}
