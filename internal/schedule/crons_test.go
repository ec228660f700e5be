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

// world is a real store with one function, within synctest's bubble, whose clock
// begins at midnight of 2000-01-01 in UTC, a Saturday.
type world struct {
	t     *testing.T
	db    *sqlite.Store
	store functions.Store
	log   *testlog.Buffer
	// through is the store as the crons use it; nil for the store itself.
	through functions.Store
	// answer is what the function does.
	answer http.HandlerFunc

	mu   sync.Mutex
	seen []string
}

// inWorld runs a test in a bubble. The store is opened outside of it, for it
// reads and writes files, and takes its time for that.
func inWorld(t *testing.T, test func(*world)) {
	t.Helper()
	w := &world{log: &testlog.Buffer{}, answer: func(http.ResponseWriter, *http.Request) {}}
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

// ServeHTTP is the gateway.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.mu.Lock()
	w.seen = append(w.seen, fmt.Sprintf("%s %s %s %s", time.Now().UTC().Format("02T15:04:05"), r.Method, r.Host, body))
	w.mu.Unlock()
	w.answer(rw, r)
}

// calls are the calls so far, without the beginnings that they share.
func (w *world) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

// run starts the crons, and returns what stops them.
func (w *world) run() (stop func()) {
	w.t.Helper()
	c := &schedule.Crons{
		Store: cmp.Or(w.through, w.store), Calls: w, Grace: 10 * time.Second, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	c.Start()
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
		t.Errorf("the calls are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestCronsCall(t *testing.T) {
	inWorld(t, func(w *world) {
		defer w.run()()
		c := newCron("*/20 * * * *", `{"a":1}`)
		w.put(c)
		time.Sleep(time.Hour + time.Second)
		const call = " POST " + host + ` {"a":1}`
		wantCalls(t, w.calls(), "01T00:20:00"+call, "01T00:40:00"+call, "01T01:00:00"+call)

		// A changed one calls by its new schedule, a deleted one no more.
		c.Schedule, c.Args, c.NextAfter = "30 5 * * 7", json.RawMessage("{}"), time.Now()
		w.put(c)
		time.Sleep(48 * time.Hour)
		wantCalls(t, w.calls()[3:], "02T05:30:00 POST "+host+" {}")
		w.remove(c)
		time.Sleep(8 * 24 * time.Hour)
		wantCalls(t, w.calls()[4:])
	})
}

// TestMissedCrons has several times go by while nobody runs the crons.
func TestMissedCrons(t *testing.T) {
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
		if said := w.log.String(); strings.Count(said, "late=25m0s") != 1 || strings.Count(said, "late=") != 1 {
			t.Errorf("one call is 25 minutes late, the log says\n%s", said)
		}
	})
}

// TestCronsDoNotWait has a function that takes longer than there is between two
// of its calls, and one that fails.
func TestCronsDoNotWait(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answer = func(rw http.ResponseWriter, r *http.Request) {
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
			t.Errorf("%d calls in four minutes", got)
		}
		if !strings.Contains(w.log.String(), "level=WARN msg=\"a cron's call was not answered well\"") || !strings.Contains(w.log.String(), "status=418") {
			t.Errorf("the log does not say that calls failed:\n%s", w.log)
		}
		began := time.Now()
		stop()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("calls went on for %v after the end", took)
		}
	})
}

// late is a store that lets somebody in before each commit.
type late struct {
	functions.Store
	before func()
}

func (l late) Update(ctx context.Context, write func(functions.Tx) error) error {
	l.before()
	return l.Store.Update(ctx, write)
}

// TestCronDeletedAtItsTime has a cron deleted between being due and being called.
func TestCronDeletedAtItsTime(t *testing.T) {
	inWorld(t, func(w *world) {
		cron := newCron("* * * * *", "{}")
		w.put(cron)
		w.through = late{w.store, func() { w.remove(cron) }}
		defer w.run()()
		time.Sleep(61 * time.Second)
		wantCalls(t, w.calls())
	})
}

// TestCronsThatAreNotNoted has the store refuse what they have done.
func TestCronsThatAreNotNoted(t *testing.T) {
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
			t.Errorf("the log is\n%s", w.log)
		}
	})
}
