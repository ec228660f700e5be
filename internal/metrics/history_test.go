package metrics_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/testclock"
)

// history is a History with a clock and instances that the test sets.
type history struct {
	*metrics.History

	metrics   *metrics.Metrics
	clock     *testclock.Clock
	instances map[string]int
	samples   int
}

func newHistory(t *testing.T) *history {
	t.Helper()
	h := &history{metrics: metrics.New(""), clock: testclock.New(start), instances: map[string]int{}}
	var err error
	h.History, err = metrics.NewHistory(metrics.HistoryConfig{
		Metrics: h.metrics, Now: h.clock.Now, Instances: func() map[string]int { return h.instances },
		Memory: func() map[string]int64 { return map[string]int64{"r1": 3 << 20} }, Sampled: func() { h.samples++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	apply(h.metrics, function("f", "r1"))
	apply(h.metrics, function("g", "r2"))
	return h
}

func (h *history) call(id string, status int, took time.Duration) {
	h.metrics.Calls().End(nil, gateway.Outcome{FunctionID: id, Status: status, Began: start, Ended: start.Add(took)})
}

func all(string) bool { return true }

func sum(values []int64) (total int64) {
	for _, v := range values {
		total += v
	}
	return total
}

func TestHistory_KeepsCallsOfHourAndDay(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.Sample()
	h.instances["r1"] = 2
	for range 99 {
		h.call("f", 200, 8*time.Millisecond)
	}
	h.call("f", 500, 8*time.Millisecond)
	h.metrics.Starts().Started("r1", time.Millisecond, true)
	h.Sample()
	h.clock.Advance(metrics.FineStep)
	h.call("f", 200, 2*time.Second)
	h.call("g", 502, time.Second)
	h.Sample()

	of := h.Of("f", metrics.Hour)
	last := len(of.Calls) - 1
	if len(of.Calls) != 240 || of.Calls[last] != 1 || of.Calls[last-1] != 100 || of.Errors[last-1] != 1 || of.ColdStarts[last-1] != 1 {
		t.Errorf("the last steps are %v calls, %v errors, %v cold starts", of.Calls[last-1:], of.Errors[last-1:], of.ColdStarts[last-1:])
	}
	if of.Instances[last] != 2 || of.Memory[last] != 3<<20 {
		t.Errorf("%d instances with %d bytes, want 2 and 3 MiB", of.Instances[last], of.Memory[last])
	}
	if p := of.P50[last-1]; p < 0.005 || p > 0.01 {
		t.Errorf("the median of calls of 8 ms is %v s", p)
	}
	if p := of.P99[last]; p < 1 || p > 2.5 {
		t.Errorf("p99 of a call of 2 s is %v s", p)
	}
	if of.P50[0] != 0 {
		t.Errorf("a step without calls has the median %v", of.P50[0])
	}
	if end := of.Start.Add(time.Duration(last) * of.Step); h.clock.Now().Sub(end) < 0 || h.clock.Now().Sub(end) >= of.Step {
		t.Errorf("the last step begins at %v, now is %v", end, h.clock.Now())
	}
	if day := h.Of("f", metrics.Day); len(day.Calls) != 144 || sum(day.Calls) != 101 {
		t.Errorf("the day has %d calls in %d steps, want 101 in 144", sum(day.Calls), len(day.Calls))
	}
	if s := h.Sum(metrics.Hour, all); sum(s.Calls) != 102 || sum(s.Errors) != 2 {
		t.Errorf("%d calls and %d errors of all, want 102 and 2", sum(s.Calls), sum(s.Errors))
	}
	want := metrics.Activity{Calls: 101, Errors: 1, ColdStarts: 1, Instances: 2}
	if a := h.Activity([]string{"f", "none"}); len(a) != 1 || a["f"] != want {
		t.Errorf("the activity is %+v, want %+v", a, want)
	}
	h.clock.Advance(time.Hour)
	h.instances["r1"] = 0
	h.Sample()
	if s, day := h.Sum(metrics.Hour, all), h.Sum(metrics.Day, all); sum(s.Calls) != 0 || sum(day.Calls) != 102 {
		t.Errorf("an hour later: %d calls in the hour, %d in the day, want 0 and 102", sum(s.Calls), sum(day.Calls))
	}
	if h.samples != 4 {
		t.Errorf("Sampled was called %d times, want 4", h.samples)
	}
}

func TestHistory_ForgetsDeletedFunctions(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	h.call("f", 200, 0)
	h.Sample()
	h.metrics.Apply(store.Change{Object: functions.Function{ID: "f"}, Deleted: true})
	h.Sample()
	if s := h.Sum(metrics.Hour, all); sum(s.Calls) != 0 {
		t.Errorf("%d calls of a deleted function", sum(s.Calls))
	}
}

func TestHistory_IsBounded(t *testing.T) {
	t.Parallel()
	h := newHistory(t)
	const first, more = 2000, 500
	for i := range first + more {
		id := fmt.Sprint("function", i)
		apply(h.metrics, function(id, "revision"+id))
		h.call(id, 200, 0)
		if i == first-1 {
			h.Sample()
			h.clock.Advance(time.Second)
		}
	}
	h.Sample()
	if got := h.Tracked(); got != first {
		t.Errorf("the history has %d functions, want at most %d", got, first)
	}
	// A function whose history was removed begins with the calls since then.
	h.clock.Advance(time.Hour)
	for i := range first {
		h.call(fmt.Sprint("function", i), 200, 0)
	}
	h.Sample()
	if s := h.Sum(metrics.Hour, all); sum(s.Calls) != first {
		t.Errorf("%d calls, want %d", sum(s.Calls), first)
	}
}

func TestNewHistory_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	if h, err := metrics.NewHistory(metrics.HistoryConfig{}); h != nil || err == nil {
		t.Errorf("NewHistory() = %v, %v, want an error", h, err)
	}
}

// A restart continues the history, within the present step, too.
func TestHistory_SurvivesRestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "metrics.history")
	clock := testclock.New(start)
	var failed []error
	open := func() *history {
		h := &history{metrics: metrics.New(""), clock: clock, instances: map[string]int{}}
		var err error
		h.History, err = metrics.NewHistory(metrics.HistoryConfig{
			Metrics: h.metrics, Now: clock.Now, Instances: func() map[string]int { return h.instances },
			File: file, Failed: func(err error) { failed = append(failed, err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		apply(h.metrics, function("f", "r1"))
		return h
	}
	// stop ends Run at once: it takes a last sample and writes the file.
	stop := func(h *history) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
	first := open()
	for range 10 {
		first.call("f", 500, 8*time.Millisecond)
	}
	first.Sample()
	clock.Advance(20 * time.Minute)
	for range 5 {
		first.call("f", 200, 8*time.Millisecond)
	}
	stop(first)
	clock.Advance(5 * time.Second) // The same fine step.
	second := open()
	if got := second.Of("f", metrics.Hour); sum(got.Calls) != 15 || sum(got.Errors) != 10 {
		t.Errorf("got %d calls and %d errors after a restart, want 15 and 10", sum(got.Calls), sum(got.Errors))
	}
	for range 3 {
		second.call("f", 200, 8*time.Millisecond)
	}
	second.Sample()
	for _, r := range []metrics.Range{metrics.Hour, metrics.Day} {
		got := second.Of("f", r)
		last := len(got.Calls) - 1
		if sum(got.Calls) != 18 || got.Calls[last] != 8 || got.P99[last] <= 0 || got.P99[last] > .1 {
			t.Errorf("range %d: got %d calls, %d in the present step with p99 %g, want 18 and 8 within 0.1 s", r, sum(got.Calls), got.Calls[last], got.P99[last])
		}
	}
	stop(second)
	clock.Advance(2 * time.Hour)
	if got := open().Of("f", metrics.Hour); sum(got.Calls) != 0 {
		t.Errorf("got %d calls after two hours, want 0", sum(got.Calls))
	}
	if len(failed) != 0 {
		t.Errorf("got errors %v", failed)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{"cut": content[:len(content)/2], "not gob": []byte("{}"), "empty": nil} {
		failed = nil
		if err := os.WriteFile(file, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		h := open()
		if h.Tracked() != 0 || len(failed) != 1 {
			t.Errorf("%s: got %d functions and errors %v, want an empty history and one error", name, h.Tracked(), failed)
		}
		stop(h)
		if failed = nil; open().Tracked() != 0 || len(failed) != 0 {
			t.Errorf("%s: the file was not replaced: %v", name, failed)
		}
	}
}
