package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/bench/measure"
)

const (
	// together is how many functions are called at once, and calls how many
	// calls one function gets.
	together = 10
	calls    = 50
)

// burstRounds is odd, for there to be a middle one.
var burstRounds = measure.Sized(7, 1)

// bursts measures calls that come at once: of ten functions without an instance,
// and of one. Beside them ten bare interpreters start at once.
func bursts(ctx context.Context, dir, crates string) ([]measure.Result, error) {
	w, err := newWorkshop(ctx, dir, crates)
	if err != nil {
		return nil, err
	}
	s, err := openSite(ctx, dir, "burst", w.flags...)
	if err != nil {
		return nil, err
	}
	defer s.close()
	l := languages[0]
	command, env, err := w.command(ctx, l)
	if err != nil {
		return nil, err
	}
	var hosts []string
	for n := range together {
		f, err := s.deploy(ctx, l, fmt.Sprintf("burst-%d", n))
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, f.DomainName)
	}
	samples := map[string][]float64{}
	for range burstRounds {
		ten, err := s.atOnce(ctx, together, func(n int) string { return hosts[n] })
		if err != nil {
			return nil, err
		}
		one, err := s.atOnce(ctx, calls, func(int) string { return hosts[0] })
		if err != nil {
			return nil, err
		}
		floor, err := spread(together, func(n int) (time.Duration, error) { return bare(fmt.Sprintf("%s/%d", w.dir, n), command, env) }, w.dir)
		if err != nil {
			return nil, err
		}
		for name, took := range map[string][]float64{"ten": ten, "one": one, "floor": floor} {
			samples[name+" p50"] = append(samples[name+" p50"], measure.Median(took))
			samples[name+" p99"] = append(samples[name+" p99"], slices.Max(took))
		}
	}
	compare := func(id, note, what, of string) measure.Result {
		return measure.Compare(id, "ms", "", note, samples[what+" "+of], samples["floor "+of])
	}
	return []measure.Result{
		compare("burst-10-p50", "ten node functions without an instance called at once, beside ten bare nodes", "ten", "p50"),
		compare("burst-10-p99", "the last of them", "ten", "p99"),
		compare("burst-50-p50", "fifty calls at once of one node function without an instance, beside ten bare nodes", "one", "p50"),
		compare("burst-50-p99", "the last of them", "one", "p99"),
	}, nil
}

// atOnce calls functions that have no instances at once, and returns the time of
// each call.
func (s *site) atOnce(ctx context.Context, n int, host func(int) string) ([]float64, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := s.dial()
		if err != nil {
			return nil, err
		}
		defer conn.Close()
		conns[i] = conn
	}
	return spread(n, func(i int) (time.Duration, error) { return ask(conns[i], host(i)) }, "")
}

// spread does a thing n times at once, and returns how long each took.
func spread(n int, do func(int) (time.Duration, error), folders string) ([]float64, error) {
	if folders != "" {
		if err := makeFolders(folders, n); err != nil {
			return nil, err
		}
	}
	took, failures := make([]float64, n), make([]error, n)
	var doing sync.WaitGroup
	for i := range n {
		doing.Go(func() {
			one, err := do(i)
			took[i], failures[i] = milliseconds(one), err
		})
	}
	doing.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}
