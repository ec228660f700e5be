package ops

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// recent is for how long a report holds, so that nobody can keep the
	// server busy with asking.
	recent = time.Second
	// patience is how long one check may take.
	patience = 2 * time.Second
)

// A Check tells whether one part of the server can do its work now.
type Check struct {
	Name string
	// Run returns nil, or why it cannot. It ends with its context, and if it
	// does not, counts as failed all the same.
	Run func(context.Context) error
}

// Readiness says whether the server should be sent calls.
type Readiness struct {
	checks   []Check
	now      func() time.Time
	stopping atomic.Bool

	mu       sync.Mutex
	lookedAt time.Time
	ready    bool
	report   string
	// running tells of each check whether it has not returned since it was
	// asked: it is not asked again before.
	running []atomic.Bool
}

// NewReadiness returns the readiness of a server that is ready when all checks
// say so.
func NewReadiness(now func() time.Time, checks ...Check) *Readiness {
	return &Readiness{checks: checks, now: now, running: make([]atomic.Bool, len(checks))}
}

// Stop makes the server unready for good.
func (r *Readiness) Stop() { r.stopping.Store(true) }

// Look returns whether the server is ready, and a line on each check.
func (r *Readiness) Look() (ready bool, report string) {
	if r.stopping.Load() {
		return false, "stopping\n"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); r.lookedAt.IsZero() || now.Sub(r.lookedAt) >= recent {
		r.ready, r.report = r.runAll()
		r.lookedAt = now
	}
	return r.ready, r.report
}

func (r *Readiness) runAll() (bool, string) {
	outcomes := make([]chan error, len(r.checks))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i := range r.checks {
		outcomes[i] = r.run(ctx, i)
	}
	ready := true
	var report strings.Builder
	for i, check := range r.checks {
		if err := outcome(ctx, outcomes[i]); err != nil {
			ready = false
			fmt.Fprintf(&report, "%s: %v\n", check.Name, err)
			continue
		}
		fmt.Fprintf(&report, "%s: ok\n", check.Name)
	}
	return ready, report.String()
}

// outcome waits for a check until ctx ends. One that is there by then is not
// passed over: another check may have taken the time.
func outcome(ctx context.Context, of <-chan error) error {
	select {
	case err := <-of:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-of:
		return err
	default:
		return errStuck
	}
}

// errStuck is the outcome of a check that does not come back.
var errStuck = errors.New("it did not answer in time")

func (r *Readiness) run(ctx context.Context, i int) chan error {
	outcome := make(chan error, 1)
	if r.running[i].Swap(true) {
		outcome <- errStuck
		return outcome
	}
	go func() {
		err := r.checks[i].Run(ctx)
		r.running[i].Store(false)
		outcome <- err
	}()
	return outcome
}
