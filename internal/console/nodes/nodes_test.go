package nodes_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/console/nodes"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

// source is a node with one call in each step since began, and a build that runs.
type source struct {
	began time.Time
	calls int64
	build string
	asked atomic.Int64
}

func (s *source) series(calls int64) api.MetricsSeries {
	return api.MetricsSeries{
		Start: s.began, Step: 15, Calls: []int64{calls, calls, calls}, Errors: make([]int64, 3), ColdStarts: make([]int64, 3),
		P50: []float64{0, .1, .2}, P99: []float64{float64(s.calls), 0, 0}, Instances: []int64{1, 1, 1}, Memory: make([]int64, 3),
	}
}

func (s *source) Of(string, bool) api.MetricsSeries { return s.series(s.calls) }

// Sum returns 10 calls more for a namespace of the scope.
func (s *source) Sum(_ bool, scope functions.Scope, namespaceID string) api.MetricsSeries {
	if namespaceID == "n" && scope.Covers("p") {
		return s.series(s.calls + 10)
	}
	return s.series(s.calls)
}

func (s *source) Activity(ids []string) map[string]api.Activity {
	return map[string]api.Activity{ids[0]: {Calls: s.calls, Errors: 1, ColdStarts: 1, Instances: 1}}
}

func (s *source) State(context.Context) api.ServerState { return api.ServerState{Version: "1.2.3"} }

func (s *source) RunningBuild(string) (string, bool) {
	s.asked.Add(1)
	return s.build, s.build != ""
}

func (s *source) NewestBuild(string) (string, error) { return "finished", nil }
func (s *source) Refused(string) (int64, time.Time) {
	return s.calls, start.Add(time.Duration(s.calls))
}

// members are node2 and node3 beside node1; the home of all functions is node2.
type members struct{}

func (members) Name() string { return "node1" }
func (members) Others() []store.Member {
	return []store.Member{{Incarnation: "3", Node: "node3", Cordoned: true}, {Incarnation: "2", Node: "node2", Version: "1.2.2"}}
}
func (members) Home(string) (store.Member, bool) { return store.Member{Incarnation: "2"}, false }

// newNodes returns node1, which reaches node2 and not node3.
func newNodes(t *testing.T, own, other *source) *nodes.Nodes {
	t.Helper()
	mux := http.NewServeMux()
	second, err := nodes.New(nodes.Config{Source: other, Members: members{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	second.Routes(mux.Handle)
	n, err := nodes.New(nodes.Config{
		Source: own, Members: members{}, Now: func() time.Time { return start },
		Do: func(m store.Member, r *http.Request) (*http.Response, error) {
			if m.Incarnation != "2" {
				return nil, errors.New("connection refused")
			}
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			return w.Result(), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestNodes_AddAnswersOfOthers(t *testing.T) {
	t.Parallel()
	// The clock of the other node is a step ahead.
	n := newNodes(t, &source{began: start, calls: 1}, &source{began: start.Add(15 * time.Second), calls: 100})
	got := n.Of(t.Context(), "f", false)
	if !slices.Equal(got.Calls, []int64{1, 101, 101}) || !slices.Equal(got.Instances, []int64{1, 2, 2}) || got.P99[1] != 100 || got.P50[2] != .2 {
		t.Errorf("got %+v, want the sums of the same times", got)
	}
	if !slices.Equal(got.MissingNodes, []string{"node3"}) {
		t.Errorf("got missing nodes %v, want node3", got.MissingNodes)
	}
	scope := functions.Scope{Region: "fr-par", Projects: []string{"p"}}
	if got := n.Sum(t.Context(), false, scope, "n"); got.Calls[2] != 121 {
		t.Errorf("got %v, want the scope to reach the other node", got.Calls)
	}
	if got := n.Sum(t.Context(), false, functions.Scope{ProjectID: "other"}, "n"); got.Calls[2] != 101 {
		t.Errorf("got %v, want nothing of another project", got.Calls)
	}
	if got := n.Activity(t.Context(), []string{"f"})["f"]; got != (api.Activity{Calls: 101, Errors: 2, ColdStarts: 2, Instances: 2}) {
		t.Errorf("got %+v, want the sum", got)
	}
	if calls, last := n.Refused(t.Context(), "t"); calls != 101 || !last.Equal(start.Add(100)) {
		t.Errorf("got %d refused calls, the last at %v, want 101 and the later time", calls, last)
	}
}

func TestNodes_ShowStateOfEachNode(t *testing.T) {
	t.Parallel()
	got := newNodes(t, &source{}, &source{}).State(t.Context())
	if len(got.Nodes) != 3 || got.Version != "1.2.3" {
		t.Fatalf("got %+v, want three nodes", got)
	}
	first, second, third := got.Nodes[0], got.Nodes[1], got.Nodes[2]
	if first.Name != "node1" || !first.Self || first.State == nil || second.Name != "node2" || second.Self || second.State == nil || second.Problem != "" {
		t.Errorf("got %+v and %+v, want both with their states", first, second)
	}
	if third.State != nil || third.Problem != "the node does not answer: connection refused" || !third.Cordoned {
		t.Errorf("got %+v, want the reason why there is no state", third)
	}
}

func TestNodes_AskHomeForRunningBuildOncePerSecond(t *testing.T) {
	t.Parallel()
	other := &source{build: "building"}
	n := newNodes(t, &source{}, other)
	for range 5 {
		if text, running := n.Running(t.Context(), "f"); !running || text != "building" {
			t.Errorf("got %q, %t, want the build of the home", text, running)
		}
	}
	if asked := other.asked.Load(); asked != 1 {
		t.Errorf("the home was asked %d times, want once", asked)
	}
	if text, err := n.Finished(t.Context(), "f"); err != nil || text != "finished" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestNew_RequiresSources(t *testing.T) {
	t.Parallel()
	if n, err := nodes.New(nodes.Config{}); err == nil {
		t.Errorf("got %v, want an error", n)
	}
}
