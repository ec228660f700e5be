package schedule

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/store"
)

// CronsConfig has the dependencies of Crons. All fields but Grace are required.
type CronsConfig struct {
	Owners Owners
	// Calls handles the calls to functions, by host, without authorization.
	Calls http.Handler
	// Grace is the time that calls in progress get when Run ends.
	Grace time.Duration
	Now   func() time.Time
	Log   *slog.Logger
}

// Crons calls functions by the schedules of their crons, if this node owns the function.
// It implements store.Follower: a cron makes no call after its deletion was applied.
type Crons struct {
	config CronsConfig
	hosts  hosts
	mu     sync.Mutex
	crons  map[string]*entry
	// changed wakes Run when a cron may be due earlier than before.
	changed chan struct{}
}

// An entry is a cron that is ready, and the time of its next call.
type entry struct {
	cron     functions.Cron
	schedule grammar.Schedule
	next     time.Time
}

// NewCrons returns Crons without any cron. Returns an error if a required field is
// missing.
func NewCrons(c CronsConfig) (*Crons, error) {
	if c.Owners == nil || c.Calls == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("configure crons: Owners, Calls, Now and Log are required")
	}
	return newCrons(c), nil
}

func newCrons(c CronsConfig) *Crons {
	return &Crons{config: c, crons: map[string]*entry{}, changed: make(chan struct{}, 1)}
}

// OwnersChanged makes Run take up the crons that this node owns now. It returns at once.
func (c *Crons) OwnersChanged() { wake(c.changed) }

// Apply implements store.Follower.
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
	fresh := newCrons(c.config)
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
		// The API accepts valid schedules only.
		c.config.Log.Error("the schedule of a cron is invalid", "cron_id", cron.ID, "error", err)
		return
	}
	after := cron.NextAfter
	if after.IsZero() {
		// The version that stored the cron did not record the time.
		after = c.config.Now()
	}
	c.crons[cron.ID] = &entry{cron: cron, schedule: schedule, next: schedule.Next(after.UTC())}
	wake(c.changed)
}

// Run makes the calls that are due until ctx ends, and then waits for the calls in
// progress, at most for the grace period. If a cron missed several calls while no
// node ran, Run makes one call for all of them.
func (c *Crons) Run(ctx context.Context) error {
	calling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	// The bounded queue of each function bounds the number of calls.
	var calls sync.WaitGroup
	for ctx.Err() == nil {
		due, next := c.due(c.config.Now())
		committed, err := c.commit(ctx, due)
		if err != nil {
			c.config.Log.Error("crons are late: their calls cannot be recorded, retrying", "error", err)
			next = time.Second
		}
		for _, r := range committed {
			calls.Go(func() { c.call(calling, r) })
		}
		wait(ctx, next, c.changed)
	}
	timer := time.AfterFunc(c.config.Grace, stop)
	defer timer.Stop()
	calls.Wait()
	return nil
}

// A run is one call that is due.
type run struct {
	cron functions.Cron
	host string
	// planned is when the call was due, and at when it is made.
	planned, at time.Time
}

// isNext reports whether the call is still the next one of its cron: neither this node
// nor an earlier owner has recorded it.
func (r run) isNext(cron functions.Cron) bool {
	return cron.NextAfter.Equal(r.cron.NextAfter) && cron.FunctionID == r.cron.FunctionID
}

// due returns the calls that are due at this node, and how long no other call is due.
func (c *Crons) due(now time.Time) ([]run, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []run
	next := maxWait
	for _, e := range c.crons {
		// A schedule without any time, such as February 30, has the zero time.
		if e.next.IsZero() {
			continue
		}
		if left := e.next.Sub(now); left > 0 {
			next = min(next, left)
			continue
		}
		if !c.config.Owners.Owns(e.cron.FunctionID) {
			// The owner is about to make the call, or this node has no lease.
			next = min(next, ownersWait)
			continue
		}
		found = append(found, run{cron: e.cron, host: c.hosts.of(e.cron.FunctionID), planned: e.next, at: now})
	}
	return found, next
}

// commit records that the calls are made, before they are made, so that no crash and no
// other owner repeats a call. It returns the calls to make: without those of crons that
// were deleted or called meanwhile, and of functions that another node owns.
func (c *Crons) commit(ctx context.Context, runs []run) (committed []run, err error) {
	if len(runs) == 0 {
		return nil, nil
	}
	err = c.config.Owners.UpdateOwned(ctx, func(tx functions.Tx, owns func(string) bool) error {
		committed = nil // The transaction may run again.
		for _, r := range runs {
			cron, err := tx.Cron(r.cron.ID)
			if functions.IsNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if !owns(cron.FunctionID) || !r.isNext(cron) || !cron.MarkCalled(r.at) {
				continue
			}
			if err := tx.Put(cron); err != nil {
				return err
			}
			committed = append(committed, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return committed, nil
}

// lateAfter is the delay from which a call is logged as late.
const lateAfter = 30 * time.Second

// call makes one call as the real service does: a POST with the arguments of the cron
// as its body, also to a private function. It is not retried.
func (c *Crons) call(ctx context.Context, r run) {
	log := c.config.Log.With("cron_id", r.cron.ID, "function_id", r.cron.FunctionID, "planned", r.planned)
	if late := r.at.Sub(r.planned); late > lateAfter {
		log = log.With("late", late)
	}
	status, err := post(ctx, c.config.Calls, r.host, "application/json", r.cron.Args)
	switch {
	case err != nil:
		log.Error("the call of a cron could not be made", "error", err)
	case !isSuccess(status):
		log.Warn("the call of a cron failed", "status", status)
	default:
		log.Info("the call of a cron succeeded", "status", status)
	}
}
