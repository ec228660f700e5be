package schedule

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/store"
)

// Crons calls functions when their crons say so. It follows the changes: a cron
// that is deleted calls no more from then on. All fields must be set.
type Crons struct {
	Store functions.Store
	// Calls takes the calls to functions, by host, and admits all of them.
	Calls http.Handler
	// Grace is how long calls may go on when Run is told to end.
	Grace time.Duration
	Now   func() time.Time
	Log   *slog.Logger

	hosts hosts
	mu    sync.Mutex
	crons map[string]*entry
	// changed tells Run that something may be due earlier than it thinks.
	changed chan struct{}
}

// An entry is a cron that calls.
type entry struct {
	cron     functions.Cron
	schedule grammar.Schedule
	next     time.Time
}

// Start makes c ready to follow changes.
func (c *Crons) Start() {
	c.crons = map[string]*entry{}
	c.changed = make(chan struct{}, 1)
}

// Apply notes a change.
func (c *Crons) Apply(change store.Change) {
	switch o := change.Object.(type) {
	case functions.Function:
		c.hosts.apply(o, change.Deleted)
	case functions.Cron:
		c.applyCron(o, change.Deleted)
	}
}

// Reload implements store.Follower.
func (c *Crons) Reload(store.Position) store.Loader {
	fresh := &Crons{Now: c.Now, Log: c.Log}
	fresh.Start()
	return store.Loader{
		Add: func(o store.Object) { fresh.Apply(store.Change{Object: o}) },
		Swap: func() {
			c.hosts.replace(fresh.hosts.byID)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.crons = fresh.crons
			wake(c.changed)
		},
	}
}

func (c *Crons) applyCron(cron functions.Cron, deleted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if deleted || cron.Status != functions.Ready {
		delete(c.crons, cron.ID)
		return
	}
	schedule, err := grammar.ParseSchedule(cron.Schedule)
	if err != nil {
		// Nothing comes into the store that cannot be parsed.
		c.Log.Error("a cron has no schedule", "cron_id", cron.ID, "error", err)
		return
	}
	since := cron.NextAfter
	if since.IsZero() {
		// One of a version that did not note it.
		since = c.Now()
	}
	c.crons[cron.ID] = &entry{cron: cron, schedule: schedule, next: schedule.Next(since.UTC())}
	wake(c.changed)
}

// longestWait is how long Run sleeps at most: the system's clock may be set.
const longestWait = time.Minute

// Run makes the calls that are due until ctx ends, and then waits for those
// that are under way. What was missed while nobody ran it is made up for by one
// call.
func (c *Crons) Run(ctx context.Context) error {
	calling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	// Each function's queue is bounded, and so is the number of calls.
	var calls sync.WaitGroup
	for ctx.Err() == nil {
		due, next := c.due(c.Now())
		noted, err := c.note(ctx, due)
		if err != nil {
			c.Log.Error("crons are late: what they have called cannot be noted", "error", err)
			next = time.Second
		}
		for _, r := range noted {
			calls.Go(func() { c.call(calling, r) })
		}
		rest(ctx, next, c.changed)
	}
	timer := time.AfterFunc(c.Grace, stop)
	defer timer.Stop()
	calls.Wait()
	return nil
}

// A run is one call that is due.
type run struct {
	cron functions.Cron
	host string
	// planned is when it was due first, and at when it is made.
	planned, at time.Time
}

// due takes the runs that are due, and tells how long there are no others.
func (c *Crons) due(now time.Time) ([]run, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []run
	wait := longestWait
	for _, e := range c.crons {
		// A schedule that never comes, such as February 30, has the zero time.
		if e.next.IsZero() {
			continue
		}
		if left := e.next.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		found = append(found, run{cron: e.cron, host: c.hosts.of(e.cron.FunctionID), planned: e.next, at: now})
	}
	return found, wait
}

// note commits that the runs are being made, before they are: a cron never calls
// twice for one time, whatever happens to the server in between. All that was due
// before goes with it. It returns the runs that are to be made still: a cron that
// was deleted since calls no more.
func (c *Crons) note(ctx context.Context, runs []run) (noted []run, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	err = c.Store.Update(ctx, func(tx functions.Tx) error {
		noted = nil // The transaction may run again.
		for _, r := range runs {
			cron, err := tx.Cron(r.cron.ID)
			if functions.IsNotFound(err) || err == nil && !cron.MarkCalled(r.at) {
				continue
			}
			if err != nil {
				return err
			}
			if err := tx.Put(cron); err != nil {
				return err
			}
			noted = append(noted, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return noted, nil
}
