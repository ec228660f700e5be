package ops_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/ops"
)

func get(t *testing.T, handler http.Handler, path string) (int, string) {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
	return recorder.Code, recorder.Body.String()
}

func handler(t *testing.T, readiness *ops.Readiness, pprof bool) http.Handler {
	t.Helper()
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metrics") })
	h, err := ops.NewHandler(ops.Config{Readiness: readiness, Metrics: metrics, Pprof: pprof})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestNewHandler_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]ops.Config{
		"Readiness": {Metrics: http.NotFoundHandler()},
		"Metrics":   {Readiness: ops.NewReadiness(time.Now)},
	} {
		if h, err := ops.NewHandler(config); h != nil || err == nil {
			t.Errorf("without %s: got %v, %v, want an error", name, h, err)
		}
	}
}

func good(context.Context) error { return nil }

func TestHandler_AnswersEachPath(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) error { return errors.New("the disk is full") }
	fine := ops.NewReadiness(time.Now, ops.Check{Name: "store", Run: good})
	for name, test := range map[string]struct {
		readiness *ops.Readiness
		pprof     bool
		path      string
		status    int
		body      string
	}{
		"health":               {fine, false, "/healthz", 200, "ok"},
		"ready":                {fine, false, "/readyz", 200, "store: ok\n"},
		"metrics":              {fine, false, "/metrics", 200, "metrics"},
		"profiles disabled":    {fine, false, "/debug/pprof/", 404, ""},
		"profiles":             {fine, true, "/debug/pprof/", 200, "goroutine"},
		"one profile":          {fine, true, "/debug/pprof/goroutine?debug=1", 200, "goroutine profile"},
		"unknown path":         {fine, true, "/", 404, ""},
		"health while unready": {ops.NewReadiness(time.Now, ops.Check{Name: "store", Run: broken}), false, "/healthz", 200, "ok"},
		"one of two": {
			ops.NewReadiness(time.Now, ops.Check{Name: "store", Run: broken}, ops.Check{Name: "engine", Run: good}),
			false, "/readyz", 503, "store: the disk is full\nengine: ok\n",
		},
	} {
		status, body := get(t, handler(t, test.readiness, test.pprof), test.path)
		if status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s: got %d %q, want %d %q", name, status, body, test.status, test.body)
		}
	}
}

func TestStop_MakesReadyzFailImmediately(t *testing.T) {
	t.Parallel()
	readiness := ops.NewReadiness(time.Now, ops.Check{Name: "store", Run: good})
	h := handler(t, readiness, false)
	if status, _ := get(t, h, "/readyz"); status != 200 {
		t.Errorf("got readyz %d before Stop, want 200", status)
	}
	readiness.Stop()
	if status, body := get(t, h, "/readyz"); status != 503 || body != "stopping\n" {
		t.Errorf("got readyz %d %q after Stop, want 503 \"stopping\"", status, body)
	}
	if status, _ := get(t, h, "/healthz"); status != 200 {
		t.Errorf("got healthz %d after Stop, want 200", status)
	}
}

func TestCheck_RunsAtMostOncePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int32
		readiness := ops.NewReadiness(time.Now, ops.Check{Name: "store", Run: func(context.Context) error {
			if ran.Add(1) > 1 {
				return errors.New("broken since")
			}
			return nil
		}})
		for range 1000 {
			if ready, report := readiness.Check(); !ready {
				t.Fatal(report)
			}
		}
		if n := ran.Load(); n != 1 {
			t.Errorf("got %d runs at the same time, want 1", n)
		}
		<-time.After(time.Second)
		if ready, _ := readiness.Check(); ready || ran.Load() != 2 {
			t.Errorf("got ready = %v and %d runs after a second, want false and 2", ready, ran.Load())
		}
	})
}

// TestCheck_FailsButDoesNotRepeatAStuckCheck blocks one of two checks.
func TestCheck_FailsButDoesNotRepeatAStuckCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ran atomic.Int32
		release := make(chan struct{})
		readiness := ops.NewReadiness(time.Now,
			ops.Check{Name: "store", Run: func(context.Context) error { ran.Add(1); <-release; return nil }},
			ops.Check{Name: "engine", Run: good})
		for range 3 {
			if ready, report := readiness.Check(); ready || report != "store: the check timed out\nengine: ok\n" {
				t.Errorf("got ready = %v, %q, want false and a timeout of store", ready, report)
			}
			<-time.After(time.Second)
		}
		if n := ran.Load(); n != 1 {
			t.Errorf("got %d runs of the stuck check, want 1", n)
		}
		close(release)
		synctest.Wait()
		if ready, report := readiness.Check(); !ready {
			t.Errorf("got %q after the check has returned, want it ready", report)
		}
	})
}
