package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/testlog"
)

// A cronNode is a node whose view of the owner and of the changes may be behind.
type cronNode struct {
	*schedule.Crons

	number int
	// owner is the owner of everything in the database, and view what this node has
	// applied of it.
	owner *atomic.Int64
	view  atomic.Int64
	w     *world

	mu sync.Mutex
	// behind are changes that the node applies later, while lagging is set.
	lagging bool
	behind  []store.Change
}

func (n *cronNode) Owns(string) bool { return n.view.Load() == int64(n.number) }

func (n *cronNode) UpdateOwned(ctx context.Context, write func(functions.Tx, func(string) bool) error) error {
	return n.w.store.Update(ctx, func(tx functions.Tx) error {
		return write(tx, func(string) bool { return n.owner.Load() == int64(n.number) })
	})
}

// Apply implements store.Follower.
func (n *cronNode) Apply(c store.Change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.behind = append(n.behind, c); !n.lagging {
		n.catchUp()
	}
}

func (n *cronNode) setLagging(lagging bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lagging = lagging; !lagging {
		n.catchUp()
	}
}

func (n *cronNode) catchUp() {
	for _, c := range n.behind {
		n.Crons.Apply(c)
	}
	n.behind = nil
}

func newCronNode(w *world, number int, owner *atomic.Int64) *cronNode {
	w.t.Helper()
	n := &cronNode{number: number, owner: owner, w: w}
	c, err := schedule.NewCrons(schedule.CronsConfig{Owners: n, Calls: w, Now: time.Now, Log: slog.New(slog.NewTextHandler(w.log, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	n.Crons = c
	if err := w.db.Follow(w.t.Context(), store.Position{}, n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// Three nodes and 1000 changes of the owner. The nodes learn of a change, and of each
// other's calls, up to 20 s later and in any order.
func TestCrons_CallOncePerTimeWhileOwnersChange(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put(functions.Cron{
			ID: "c", ProjectID: projectID, FunctionID: functionID, Region: region, Name: "c", Schedule: "* * * * *", Args: []byte("{}"),
			Status: functions.Ready, NextAfter: time.Now(),
		})
		var owner atomic.Int64
		ctx, stop := context.WithCancel(w.t.Context())
		var running sync.WaitGroup
		nodes := make([]*cronNode, 3)
		for i := range nodes {
			nodes[i] = newCronNode(w, i, &owner)
			running.Go(func() { _ = nodes[i].Run(ctx) })
		}
		random := rand.New(rand.NewPCG(1, 2))
		pause := func(most time.Duration) { time.Sleep(time.Duration(random.Int64N(int64(most)))) }
		const changes = 1000
		for range changes {
			pause(20 * time.Second)
			next := int64(random.IntN(len(nodes)))
			nodes[random.IntN(len(nodes))].setLagging(true)
			owner.Store(next)
			// Until all have applied the change, several may take themselves for the owner. Some
			// apply it with a later one.
			for _, i := range random.Perm(len(nodes)) {
				pause(7 * time.Second)
				for _, n := range nodes {
					n.OwnersChanged() // Look again, without news.
				}
				if int64(i) != next && random.IntN(2) == 0 {
					continue
				}
				nodes[i].setLagging(false)
				nodes[i].view.Store(next)
				nodes[i].OwnersChanged()
			}
		}
		// The last call is made.
		time.Sleep(20 * time.Second)
		synctest.Wait()
		stop()
		running.Wait()
		count := map[string]int{}
		for _, call := range w.calls() {
			count[call[:len("02T15:04")]]++
		}
		for minute := time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC); minute.Before(time.Now().Add(-time.Minute)); minute = minute.Add(time.Minute) {
			at := minute.Format("02T15:04")
			if count[at] != 1 {
				w.t.Errorf("got %d calls for %s, want 1", count[at], at)
			}
		}
		if len(count) < 300 {
			w.t.Errorf("got calls for %d times only", len(count))
		}
	})
}

func TestCrons_MakeNoCallWithoutOwnership(t *testing.T) {
	t.Parallel()
	inWorld(t, func(w *world) {
		w.put(functions.Cron{
			ID: "c", ProjectID: projectID, FunctionID: functionID, Region: region, Name: "c", Schedule: "* * * * *", Args: []byte("{}"),
			Status: functions.Ready, NextAfter: time.Now(),
		})
		var owns atomic.Bool
		w.owns = func(string) bool { return owns.Load() }
		stop := w.run()
		defer stop()
		time.Sleep(10*time.Minute + time.Second)
		synctest.Wait()
		if calls := w.calls(); len(calls) != 0 {
			t.Fatalf("got calls %v of another node's function", calls)
		}
		// The node gets its lease back, which changes no member.
		owns.Store(true)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if calls := w.calls(); len(calls) != 1 {
			t.Errorf("got calls %v, want one for all that were missed", calls)
		}
	})
}

// sharedQueue is a broker with one queue for all nodes. It delivers a message to one node
// at a time, and counts fetches of nodes that are not the owner.
type sharedQueue struct {
	mu      sync.Mutex
	waiting []*queued
	open    int
	// forgotten counts calls of Forget.
	forgotten int
}

type queued struct {
	queue *sharedQueue
	body  string
	tries int
}

func (q *sharedQueue) Open(context.Context, functions.Trigger) (schedule.Source, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.open++
	return queueSource{q}, nil
}

func (q *sharedQueue) Forget(context.Context, functions.Trigger) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forgotten++
	return nil
}

type queueSource struct{ *sharedQueue }

func (s queueSource) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
}

func (s queueSource) Fetch(ctx context.Context, limit int) ([]schedule.Message, error) {
	select {
	case <-time.After(100 * time.Millisecond):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []schedule.Message
	for len(s.waiting) > 0 && len(found) < limit {
		m := s.waiting[0]
		s.waiting = s.waiting[1:]
		m.tries++
		found = append(found, m)
	}
	return found, nil
}

func (m *queued) Body() []byte               { return []byte(m.body) }
func (m *queued) Try() int                   { return m.tries }
func (m *queued) Done(context.Context) error { return nil }
func (*queued) Hold() time.Duration          { return 0 }
func (*queued) Extend(context.Context) error { return nil }

func (q *sharedQueue) add(m *queued) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, m)
}

func (q *sharedQueue) sources() (open, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open, len(q.waiting)
}

func (m *queued) Again(_ context.Context, after time.Duration) error {
	time.AfterFunc(after, func() { m.queue.add(m) })
	return nil
}

// startTriggers runs Triggers with a trigger of a function until the test ends.
func startTriggers(t *testing.T, broker schedule.Brokers, calls http.Handler, owns func(string) bool) *schedule.Triggers {
	t.Helper()
	triggers, err := schedule.NewTriggers(schedule.TriggersConfig{
		Owns: owns, Brokers: broker, Calls: calls, Log: slog.New(slog.NewTextHandler(&testlog.Buffer{}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	triggers.Apply(store.Change{Object: functions.Function{ID: functionID, DomainName: host}})
	triggers.Apply(store.Change{Object: functions.Trigger{ID: "t", FunctionID: functionID, Status: functions.Ready}})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = triggers.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return triggers
}

// Calls of a node fail while it is not the owner, as without a lease.
func TestTriggers_DeliverEachMessageAtLeastOnceWhileOwnersChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := &sharedQueue{}
		var owner atomic.Int64
		var mu sync.Mutex
		delivered := map[string]int{}
		nodes := make([]*schedule.Triggers, 3)
		for i := range nodes {
			owns := func(string) bool { return owner.Load() == int64(i) }
			nodes[i] = startTriggers(t, queue, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second) // In the bubble no real time passes.
				if !owns("") {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				body := make([]byte, r.ContentLength)
				_, _ = r.Body.Read(body)
				mu.Lock()
				defer mu.Unlock()
				delivered[string(body)]++
				w.WriteHeader(http.StatusOK)
			}), owns)
		}
		random := rand.New(rand.NewPCG(3, 4))
		const changes, messages = 300, 600
		for i := range messages {
			queue.add(&queued{queue: queue, body: fmt.Sprint(i)})
			if i%(messages/changes) == 0 {
				owner.Store(int64(random.IntN(len(nodes))))
				for _, n := range nodes {
					n.OwnersChanged()
				}
			}
			time.Sleep(time.Duration(random.Int64N(int64(5 * time.Second))))
		}
		time.Sleep(5 * time.Minute)
		for i := range messages {
			if delivered[fmt.Sprint(i)] == 0 {
				t.Errorf("message %d was not delivered", i)
			}
		}
		if n, waiting := queue.sources(); n != 1 || waiting != 0 {
			t.Errorf("got %d open sources and %d waiting messages, want one source, of the owner", n, waiting)
		}
	})
}

func TestTriggers_WithoutLeaseFetchNothingAndFinishWhatTheyHave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := &sharedQueue{}
		queue.add(&queued{queue: queue, body: "first"})
		var lost atomic.Bool
		var seen []string
		startTriggers(t, queue, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, r.ContentLength)
			_, _ = r.Body.Read(body)
			time.Sleep(30 * time.Second)
			seen = append(seen, string(body))
			w.WriteHeader(http.StatusOK)
		}), func(string) bool { return !lost.Load() })
		time.Sleep(time.Second)
		lost.Store(true)
		time.Sleep(100 * time.Millisecond) // A fetch may be in progress.
		queue.add(&queued{queue: queue, body: "second"})
		time.Sleep(time.Hour)
		synctest.Wait()
		if n, waiting := queue.sources(); n != 0 || waiting != 1 || strings.Join(seen, " ") != "first" {
			t.Errorf("got %d sources, %d waiting messages and deliveries %v, want the first message finished and the second one not fetched", n, waiting, seen)
		}
		lost.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		if strings.Join(seen, " ") != "first second" {
			t.Errorf("got deliveries %v after the lease was renewed, want both", seen)
		}
	})
}

func TestTriggers_OwnerForgetsDeletedTriggers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		queue := &sharedQueue{}
		var owns atomic.Bool
		triggers := startTriggers(t, queue, http.NotFoundHandler(), func(string) bool { return owns.Load() })
		triggers.Apply(store.Change{Object: functions.Trigger{ID: "t", FunctionID: functionID}, Deleted: true})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if queue.forgotten != 0 {
			t.Error("a node that does not own the function made the broker forget its trigger")
		}
		// The owner has failed.
		owns.Store(true)
		triggers.OwnersChanged()
		synctest.Wait()
		if queue.forgotten != 1 {
			t.Errorf("the broker was asked %d times to forget the trigger, want once", queue.forgotten)
		}
	})
}
