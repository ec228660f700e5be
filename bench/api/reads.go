package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
)

var readCount = harness.Sized(2000, 100)

const writerCount = 4

// readsUnderWrites measures reads of a namespace while four clients change other
// namespaces as fast as they can, and compares them with reads of an idle server.
func readsUnderWrites(ctx context.Context, dir string) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var ids []string
	for i := range writerCount + 1 {
		n, err := s.Namespace(ctx, fmt.Sprintf("reads-%d", i))
		if err != nil {
			return nil, err
		}
		ids = append(ids, n.ID)
	}
	if err := s.Settle(ctx); err != nil {
		return nil, err
	}
	path := "/namespaces/" + ids[writerCount]
	idle, err := read(ctx, s, path)
	if err != nil {
		return nil, err
	}
	busy, err := readWhileWriting(ctx, s, path, ids[:writerCount])
	if err != nil {
		return nil, err
	}
	const note = "GET of a namespace while four clients write, compared with an idle server"
	return []harness.Result{
		harness.Compare("reads-under-writes", "ms", "", note, busy, idle),
		harness.Compare("reads-under-writes-p99", "ms", "", note, []float64{harness.Percentile(busy, 99)}, []float64{harness.Percentile(idle, 99)}),
	}, s.Stop()
}

// readWhileWriting reads like read while one client for each id changes that
// namespace.
func readWhileWriting(ctx context.Context, s *harness.Server, path string, ids []string) ([]float64, error) {
	done := make(chan struct{})
	failures := make(chan error, len(ids))
	var writers sync.WaitGroup
	for _, id := range ids {
		writers.Go(func() { failures <- write(ctx, s, id, done) })
	}
	took, err := read(ctx, s, path)
	close(done)
	writers.Wait()
	close(failures)
	for failure := range failures {
		err = errors.Join(err, failure)
	}
	return took, err
}

// read returns the milliseconds that each of readCount reads took.
func read(ctx context.Context, s *harness.Server, path string) (took []float64, err error) {
	for range readCount {
		t, err := get(ctx, s, path)
		if err != nil {
			return nil, err
		}
		took = append(took, t)
	}
	return took, nil
}

// write changes a namespace again and again until done is closed.
func write(ctx context.Context, s *harness.Server, id string, done <-chan struct{}) error {
	for i := 0; ; i++ {
		select {
		case <-done:
			return nil
		default:
		}
		text := fmt.Sprint("change ", i)
		if _, err := s.UpdateNamespace(&function.UpdateNamespaceRequest{NamespaceID: id, Description: &text}, scw.WithContext(ctx)); err != nil {
			return err
		}
	}
}
