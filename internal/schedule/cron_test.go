package schedule_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
	"github.com/jeton-dev/jeton/test/testlog"
)

const (
	projectID   = "11111111-1111-4111-8111-111111111111"
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
	functionID  = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	region      = functions.Region("fr-par")
	host        = "ns-f.functions.fnc.fr-par.localhost"
)

// world is a real store with one function in a bubble of synctest. Its clock starts on
// Saturday 2000-01-01 at midnight UTC.
type world struct {
	t     *testing.T
	db    *sqlite.Store
	store functions.Store
	log   *testlog.Buffer
	// wrapped is the store that the crons use, if it is not store itself.
	wrapped functions.Store
	// owns reports whether the crons own a function; nil means that they do.
	owns func(functionID string) bool
	// function handles calls.
	function http.HandlerFunc

	mu   sync.Mutex
	seen []string
}

// inWorld runs a test in a bubble.
func inWorld(t *testing.T, test func(*world)) {
	t.Helper()
	w := &world{log: &testlog.Buffer{}, function: func(http.ResponseWriter, *http.Request) {}}
	path := filepath.Join(t.TempDir(), "jeton.db")
	synctest.Test(t, func(t *testing.T) {
		w.t = t
		db, err := sqlite.Open(t.Context(), path, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		w.db, w.store = db, store.Functions(storetest.Twice(db))
		w.put(iam.Project{ID: projectID, Name: "default"},
			functions.Namespace{ID: namespaceID, ProjectID: projectID, Region: region, Name: "n"},
			functions.Function{ID: functionID, ProjectID: projectID, NamespaceID: namespaceID, Region: region, Name: "f", DomainName: host})
		test(w)
	})
}

func (w *world) put(objects ...functions.Object) {
	w.t.Helper()
	err := w.store.Update(context.Background(), func(tx functions.Tx) error {
		for _, o := range objects {
			if err := tx.Put(o); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) remove(o functions.Object) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), func(tx functions.Tx) error { return tx.Delete(o) }); err != nil {
		w.t.Fatal(err)
	}
}

// ServeHTTP implements the gateway.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.seen = append(w.seen, fmt.Sprintf("%s %s %s %s", time.Now().UTC().Format("02T15:04:05"), r.Method, r.Host, body))
	w.mu.Unlock()
	w.function(rw, r)
}

// calls returns the calls so far: day and time, method, host and body.
func (w *world) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// owners implements schedule.Owners. Without owns, everything is owned.
type owners struct {
	functions.Store

	owns func(functionID string) bool
}

func (o owners) Owns(key string) bool { return o.owns == nil || o.owns(key) }

func (o owners) UpdateOwned(ctx context.Context, write func(functions.Tx, func(string) bool) error) error {
	return o.Update(ctx, func(tx functions.Tx) error { return write(tx, o.Owns) })
}

// crons returns new Crons that use the store and call the world.
func (w *world) crons() *schedule.Crons {
	w.t.Helper()
	c, err := schedule.NewCrons(schedule.CronsConfig{
		Owners: owners{cmp.Or(w.wrapped, w.store), w.owns}, Calls: w, Grace: 10 * time.Second, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// run starts the crons, and returns a function that stops them.
func (w *world) run() (stop func()) {
	w.t.Helper()
	c := w.crons()
	follower := &stoppable{Follower: c}
	if err := w.db.Follow(w.t.Context(), store.Position{}, follower); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
		follower.stopped = true
	}
}

// A stoppable follower ignores the changes after its stop.
type stoppable struct {
	store.Follower

	stopped bool
}

// Apply implements store.Follower.
func (s *stoppable) Apply(change store.Change) {
	if !s.stopped {
		s.Follower.Apply(change)
	}
}

func newCron(schedule, args string) functions.Cron {
	return functions.Cron{
		ID: "c0000000-0000-4000-8000-000000000001", Region: region, ProjectID: projectID, FunctionID: functionID,
		Schedule: schedule, Args: json.RawMessage(args), Status: functions.Ready, NextAfter: time.Now(),
	}
}

func wantCalls(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got calls\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCrons_CallByTheirSchedule(t *testing.T) {
	inWorld(t, func(w *world) {
		defer w.run()()
		c := newCron("*/20 * * * *", `{"a":1}`)
		w.put(c)
		time.Sleep(time.Hour + time.Second)
		const call = " POST " + host + ` {"a":1}`
		wantCalls(t, w.calls(), "01T00:20:00"+call, "01T00:40:00"+call, "01T01:00:00"+call)

		// A changed cron uses its new schedule, and a deleted one makes no calls.
		c.Schedule, c.Args, c.NextAfter = "30 5 * * 7", json.RawMessage("{}"), time.Now()
		w.put(c)
		time.Sleep(48 * time.Hour)
		wantCalls(t, w.calls()[3:], "02T05:30:00 POST "+host+" {}")
		w.remove(c)
		time.Sleep(8 * 24 * time.Hour)
		wantCalls(t, w.calls()[4:])
	})
}

// Three calls are due while no process runs the crons.
func TestCrons_MakeOneCallForAllMissedOnes(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(newCron("*/10 * * * *", "{}"))
		stop := w.run()
		time.Sleep(11 * time.Minute)
		stop()
		time.Sleep(34 * time.Minute)
		defer w.run()()
		time.Sleep(10 * time.Minute)
		const call = " POST " + host + " {}"
		wantCalls(t, w.calls(), "01T00:10:00"+call, "01T00:45:00"+call, "01T00:50:00"+call)
		if log := w.log.String(); strings.Count(log, "late=25m0s") != 1 || strings.Count(log, "late=") != 1 {
			t.Errorf("got log\n%s\nwant one call that is 25 minutes late", log)
		}
	})
}

// The function takes longer than the time between two calls, and fails.
func TestCrons_DoNotWaitForEarlierCalls(t *testing.T) {
	inWorld(t, func(w *world) {
		w.function = func(rw http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(150 * time.Second):
				rw.WriteHeader(http.StatusTeapot)
			case <-r.Context().Done():
			}
		}
		w.put(newCron("* * * * *", "{}"))
		stop := w.run()
		time.Sleep(4*time.Minute + time.Second)
		if got := len(w.calls()); got != 4 {
			t.Errorf("got %d calls in four minutes, want 4", got)
		}
		if !strings.Contains(w.log.String(), "level=WARN msg=\"the call of a cron failed\"") || !strings.Contains(w.log.String(), "status=418") {
			t.Errorf("got log\n%s\nwant failed calls", w.log)
		}
		began := time.Now()
		stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("Run took %v to end, want the grace period of 10s", took)
		}
	})
}

// hookedStore calls before ahead of each commit.
type hookedStore struct {
	functions.Store
	before func()
}

func (s hookedStore) Update(ctx context.Context, write func(functions.Tx) error) error {
	s.before()
	return s.Store.Update(ctx, write)
}

// The cron is deleted after its call became due and before the call is recorded.
func TestCrons_DoNotCallForADeletedCron(t *testing.T) {
	inWorld(t, func(w *world) {
		cron := newCron("* * * * *", "{}")
		w.put(cron)
		w.wrapped = hookedStore{w.store, func() { w.remove(cron) }}
		defer w.run()()
		time.Sleep(61 * time.Second)
		wantCalls(t, w.calls())
	})
}

func TestCrons_DoNotCallWithoutARecord(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(newCron("* * * * *", "{}"))
		stop := w.run()
		time.Sleep(time.Minute - time.Second)
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		stop()
		wantCalls(t, w.calls())
		if !strings.Contains(w.log.String(), "crons are late") {
			t.Errorf("got log\n%s\nwant that crons are late", w.log)
		}
	})
}
