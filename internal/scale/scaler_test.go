package scale_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/scale"
)

const revision = "r1"

// run runs a test in a synctest bubble, with a Scaler of the engine whose first watch
// is synced.
func run(t *testing.T, e *fakeEngine, config scale.Config, test func(t *testing.T, s *scale.Scaler)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := scale.New(e, config, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		test(t, s)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run() = %v, want %v", err, context.Canceled)
		}
	})
}

// pass advances the time of the bubble.
func pass(d time.Duration) { <-time.After(d) }

func mustAcquire(t *testing.T, s *scale.Scaler) *scale.Instance {
	t.Helper()
	in, err := s.Acquire(t.Context(), revision)
	if err != nil {
		t.Fatalf("Acquire() = %v", err)
	}
	return in
}

// pending is a call of Acquire in the background.
type pending struct {
	instance *scale.Instance
	err      error
	done     bool
}

// acquireLater starts a call of Acquire. Its fields are set after synctest.Wait.
func acquireLater(ctx context.Context, s *scale.Scaler) *pending {
	p := &pending{}
	go func() {
		p.instance, p.err = s.Acquire(ctx, revision)
		p.done = true
	}()
	synctest.Wait()
	return p
}

func wantCounts(t *testing.T, e *fakeEngine, live, started int) {
	t.Helper()
	synctest.Wait()
	if gotLive, gotStarted := e.counts(); gotLive != live || gotStarted != started {
		t.Errorf("engine has %d instances of %d started, want %d of %d", gotLive, gotStarted, live, started)
	}
}
