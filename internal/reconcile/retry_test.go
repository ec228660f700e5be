package reconcile_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
)

var errDisk = errors.New("disk is full")

func TestNew_NamesMissingPorts(t *testing.T) {
	t.Parallel()
	_, err := reconcile.New(reconcile.Config{})
	for _, name := range []string{"Store", "Engine", "Builders", "Archives", "Artifacts", "Keys", "Sources", "Now", "BuildTimeout"} {
		if err == nil || !strings.Contains(err.Error(), name+" is required") {
			t.Errorf("got %v, want an error that names %s", err, name)
		}
	}
}

func TestRetry_BacksOffUpToALimit(t *testing.T) {
	run(t, func(f *fixture) {
		var mu sync.Mutex
		var times []time.Time
		f.store.onUpdate.set(func() {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
		})
		f.store.fail(errDisk)
		n := f.newNamespace()
		f.start()
		f.after(10 * time.Minute)
		f.store.fail(nil)
		f.after(90 * time.Second)
		if n, _ := get(f, n.ID, functions.Tx.Namespace); n.Status != functions.Ready {
			f.Errorf("got status %s after the disk has space, want ready", n.Status)
		}
		mu.Lock()
		defer mu.Unlock()
		for i, seconds := range []float64{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			got := times[i+1].Sub(times[i]).Seconds()
			if got < 0.79*seconds || got > 1.21*seconds {
				f.Errorf("retry %d: got a delay of %.2f s, want %.0f s with 20 %% jitter", i+1, got, seconds)
			}
		}
		if log := f.log.String(); !strings.Contains(log, "will be retried") || !strings.Contains(log, "disk is full") {
			f.Errorf("got log %s, want the error and that it is retried", log)
		}
	})
}

func TestRetry_StartsAgainAfterSuccess(t *testing.T) {
	run(t, func(f *fixture) {
		f.store.fail(errDisk)
		n := f.newNamespace()
		f.start()
		f.after(5 * time.Minute)
		f.store.fail(nil)
		f.after(90 * time.Second)
		f.store.fail(errDisk)
		n, _ = get(f, n.ID, functions.Tx.Namespace)
		n.Status = functions.Pending
		f.put(n)
		f.after(100 * time.Millisecond)
		f.store.fail(nil)
		f.after(1200 * time.Millisecond)
		if n, _ := get(f, n.ID, functions.Tx.Namespace); n.Status != functions.Ready {
			f.Errorf("got status %s, want ready after the first delay", n.Status)
		}
	})
}

func TestRetry_DelaysOneObjectOnly(t *testing.T) {
	run(t, func(f *fixture) {
		failing := true
		f.keys.take.set(func() error {
			if failing {
				failing = false
				return errors.New("no randomness")
			}
			return nil
		})
		f.start()
		first := f.newNamespace()
		f.after(time.Millisecond)
		second := f.newNamespace()
		f.after(time.Millisecond)
		one, _ := get(f, first.ID, functions.Tx.Namespace)
		two, _ := get(f, second.ID, functions.Tx.Namespace)
		if one.Status != functions.Pending || two.Status != functions.Ready {
			f.Errorf("got %s and %s, want pending and ready", one.Status, two.Status)
		}
		f.after(1200 * time.Millisecond)
		if one, _ := get(f, first.ID, functions.Tx.Namespace); one.Status != functions.Ready {
			f.Errorf("got %s after the delay, want ready", one.Status)
		}
	})
}

func TestRetry_IsImmediateAfterAChange(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		f.store.fail(errDisk)
		n := f.newNamespace()
		f.after(5 * time.Minute) // The next retry is up to a minute away.
		f.store.fail(nil)
		n.Description = "changed"
		f.put(n)
		f.after(time.Millisecond)
		if n, _ := get(f, n.ID, functions.Tx.Namespace); n.Status != functions.Ready {
			f.Errorf("got status %s, want ready", n.Status)
		}
	})
}

func TestRun_EndsWithoutPendingRetries(t *testing.T) {
	run(t, func(f *fixture) {
		f.store.fail(errDisk)
		f.newNamespace()
		f.start()
		before := time.Now()
		f.stop()
		if took := time.Since(before); took > 0 {
			f.Errorf("Run took %s to end, want no delay", took)
		}
		f.store.fail(nil)
		f.store.onUpdate.set(func() { f.Error("work went on after Run had ended") })
		f.after(time.Hour)
	})
}

func TestRun_ContinuesWorkOfAPreviousProcess(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		f.builders.build.set(blockUntilCanceled)
		f.start()
		f.deploy(fn.ID, "code")
		if f.builders.count("build") != 1 {
			f.Fatal("the build has not started")
		}
		f.stop()
		f.wantFunction(fn.ID, functions.Pending, "")
		f.builders.build.set(nil)
		f.start()
		f.wantFunction(fn.ID, functions.Ready, "")
	})
}
