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
	// reportAge is how long a report is cached, so that requests cannot keep the checks
	// busy.
	reportAge = time.Second
	// checkTimeout is how long the checks of a report may take together.
	checkTimeout = 2 * time.Second
)

// A Check tests whether one part of the server works.
type Check struct {
	Name string
	// Run returns nil, or why the part does not work. It should return when its context
	// ends; the check fails then in any case.
	Run func(context.Context) error
}

// Readiness reports whether the server can take calls. It is safe for concurrent use.
type Readiness struct {
	checks   []Check
	now      func() time.Time
	stopping atomic.Bool

	mu         sync.Mutex
	reportedAt time.Time
	ready      bool
	report     string
	// running is true for each check that has not returned yet. It is not started a
	// second time.
	running []atomic.Bool
}

// NewReadiness returns a Readiness that is ready if all checks return nil.
func NewReadiness(now func() time.Time, checks ...Check) *Readiness {
	return &Readiness{checks: checks, now: now, running: make([]atomic.Bool, len(checks))}
}

// Stop makes the server unready permanently.
func (r *Readiness) Stop() { r.stopping.Store(true) }

// Check reports whether the server is ready, with a line for each check. The result is
// at most a second old.
func (r *Readiness) Check() (ready bool, report string) {
	if r.stopping.Load() {
		return false, "stopping\n"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := r.now(); r.reportedAt.IsZero() || now.Sub(r.reportedAt) >= reportAge {
		r.ready, r.report = r.runAll()
		r.reportedAt = now
	}
	return r.ready, r.report
}

func (r *Readiness) runAll() (bool, string) {
	outcomes := make([]chan error, len(r.checks))
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
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

// outcome waits for the result of a check until ctx ends. It returns a result that is
// available by then, even if another check has used up the time.
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

// errStuck is the outcome of a check that has not returned in time.
var errStuck = errors.New("the check timed out")

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
