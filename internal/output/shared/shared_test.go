package shared_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/output/shared"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

const functionID = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"

// world is several nodes that ask each other over HTTP.
type world struct {
	t     *testing.T
	mu    sync.Mutex
	nodes []*node
}

type node struct {
	*shared.Logs

	name    string
	output  *output.Logs
	server  *httptest.Server
	running string
}

func newWorld(t *testing.T, nodes int) *world {
	t.Helper()
	w := &world{t: t}
	for range nodes {
		w.add()
	}
	return w
}

func (w *world) add() *node {
	w.t.Helper()
	n := &node{name: fmt.Sprintf("node%d", len(w.nodes)+1)}
	dir := w.t.TempDir()
	var err error
	if n.output, err = output.Open(dir, 1<<20); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = n.output.Close() })
	n.Logs, err = shared.New(shared.Config{
		Dir: dir, Running: func(string) (string, bool) { return n.running, n.running != "" },
		Others: func() []store.Member { return w.others(n) }, Do: w.do, Now: time.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	routes := http.NewServeMux()
	n.Routes(routes.Handle)
	n.server = httptest.NewServer(routes)
	w.t.Cleanup(n.server.Close)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = append(w.nodes, n)
	return n
}

func (w *world) others(than *node) []store.Member {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []store.Member
	for _, n := range w.nodes {
		if n != than {
			all = append(all, store.Member{Node: n.name, Incarnation: n.name, Address: n.server.Listener.Addr().String()})
		}
	}
	return all
}

func (w *world) remove(n *node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = slices.DeleteFunc(w.nodes, func(other *node) bool { return other == n })
}

func (*world) do(m store.Member, r *http.Request) (*http.Response, error) {
	r.URL.Scheme, r.URL.Host = "http", m.Address
	return http.DefaultTransport.RoundTrip(r)
}

// write writes a line at a node, some time after start.
func (w *world) write(n *node, at time.Time, text string) {
	w.t.Helper()
	if err := n.output.Append(output.Entry{At: at, Function: functionID, Stream: output.Stdout, Text: text}); err != nil {
		w.t.Fatal(err)
	}
}

// lines returns the lines that a node shows.
func (w *world) lines(n *node, since time.Time) []string {
	w.t.Helper()
	var all []string
	err := n.Lines(w.t.Context(), functionID, since, false, func(e output.Entry) error {
		all = append(all, e.Text)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestLines_AreMergedByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	start := time.Now().Add(-time.Hour)
	const count = 300
	for i := range count {
		w.write(w.nodes[i*7%3], start.Add(time.Duration(i)*time.Second), fmt.Sprint(i))
	}
	for _, n := range w.nodes {
		got := w.lines(n, start.Add(100*time.Second))
		if len(got) != count-100 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) || got[0] != "100" || got[len(got)-1] != fmt.Sprint(count-1) {
			t.Errorf("%s: got %d lines: %v", n.name, len(got), got)
		}
	}
	stop := errors.New("enough")
	if err := w.nodes[0].Lines(t.Context(), functionID, start, false, func(output.Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Lines() = %v, want the error of report", err)
	}
}

func TestLines_SkipDeadNodesWithANote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.write(w.nodes[0], time.Now().Add(-time.Minute), "own")
	w.write(w.nodes[1], time.Now().Add(-time.Second), "other")
	w.nodes[2].server.Close()
	got := w.lines(w.nodes[0], time.Time{})
	if len(got) != 3 || got[0] != "own" || got[1] != "other" || !strings.HasPrefix(got[2], "lines of node node3 are missing: ") {
		t.Errorf("got %q, want the lines of the other nodes and a note", got)
	}
}

// A node that accepts connections and answers nothing is paused.
func TestLines_SkipPausedNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.write(w.nodes[0], time.Now(), "own")
	paused := make(chan struct{})
	w.nodes[1].server.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-paused })
	defer close(paused)
	began := time.Now()
	got := w.lines(w.nodes[0], time.Time{})
	if len(got) != 2 || got[1] != "lines of node node2 are missing: it does not answer" || time.Since(began) > await.Patience {
		t.Errorf("got %q after %v", got, time.Since(began))
	}
}

func TestLines_FollowAllNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	now := time.Now()
	w.write(w.nodes[1], now.Add(-time.Hour), "old")
	w.write(w.nodes[0], now.Add(-2*time.Second), "recent 1")
	w.write(w.nodes[1], now.Add(-time.Second), "recent 2")
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var got []string
	ended := make(chan error)
	go func() {
		ended <- w.nodes[0].Lines(ctx, functionID, time.Time{}, true, func(e output.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, e.Text)
			return nil
		})
	}()
	want := []string{"old", "recent 1", "recent 2"}
	shows := func() {
		t.Helper()
		await.True(t, fmt.Sprintf("the lines are %q", want), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(got, want)
		})
	}
	shows()
	// New lines of both, and the older one arrives later.
	w.write(w.nodes[1], now.Add(2*time.Minute), "new 2")
	w.write(w.nodes[0], now.Add(time.Minute), "new 1")
	want = append(want, "new 1", "new 2")
	shows()
	joined := w.add()
	w.write(joined, now.Add(3*time.Minute), "joined")
	want = append(want, "joined")
	shows()
	// A node that leaves is not missing.
	w.remove(joined)
	w.write(w.nodes[0], now.Add(4*time.Minute), "end")
	want = append(want, "end")
	shows()
	stop()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Lines() = %v", err)
	}
}

func TestBuilds_OfAllNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	f := output.Function{ID: functionID, Name: "f"}
	for i, n := range w.nodes[:2] {
		if err := n.output.WriteBuild(f, fmt.Sprintf("build %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.nodes[2].Builds(functionID)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []string{"build 0", "build 1"}) {
		t.Errorf("Builds() = %q, %v, want those of both nodes", got, err)
	}
	w.nodes[0].running = "running"
	w.nodes[1].server.Close()
	if got, err = w.nodes[2].Builds(functionID); err != nil || !slices.Equal(got, []string{"running"}) {
		t.Errorf("Builds() = %q, %v, want the running one of the node that answers", got, err)
	}
}
