package certificate

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBudget is returned for a host whose project has caused as many certificates to
// be asked for as it may. An authority has limits per account and per domain, which
// all projects share.
var ErrBudget = errors.New("the project's budget of certificates is used up")

const (
	// budgetPeriod is what a budget is for: that of Let's Encrypt's own limits.
	budgetPeriod = 7 * 24 * time.Hour
	// hostRetries is how often a certificate for one host may be asked for within
	// hostPeriod, and projectRetries how often those for all hosts of a project, as
	// failures count at the authority, too.
	hostRetries    = 5
	projectRetries = 20
	hostPeriod     = time.Hour
)

// Budget bounds how many certificates each project causes to be asked for.
type Budget struct {
	most int
	now  func() time.Time

	mu sync.Mutex
	// asked has, for each project, when certificates were asked for each host.
	asked map[string]map[string][]time.Time
}

// NewBudget returns a budget of so many certificates per project and week.
func NewBudget(most int, now func() time.Time) *Budget {
	return &Budget{most: most, now: now, asked: map[string]map[string][]time.Time{}}
}

// Take charges a project for asking for a host's certificate. It returns ErrBudget
// if that is one too many.
func (b *Budget) Take(project, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	hosts := b.asked[project]
	if hosts == nil {
		hosts = map[string][]time.Time{}
		b.asked[project] = hosts
	}
	lately := 0
	for name, times := range hosts {
		for _, at := range times {
			if now.Sub(at) < hostPeriod {
				lately++
			}
		}
		// The last time counts.
		if now.Sub(times[len(times)-1]) >= budgetPeriod {
			delete(hosts, name)
		}
	}
	if lately >= projectRetries {
		return fmt.Errorf("%w: %d attempts per hour", ErrBudget, projectRetries)
	}
	times := hosts[host]
	if len(times) == 0 && len(hosts) >= b.most {
		return fmt.Errorf("%w: %d per week", ErrBudget, b.most)
	}
	if len(times) >= hostRetries {
		if now.Sub(times[len(times)-hostRetries]) < hostPeriod {
			return fmt.Errorf("%w: %d attempts per hour for one host", ErrBudget, hostRetries)
		}
		times = times[1:]
	}
	hosts[host] = append(times, now)
	return nil
}
