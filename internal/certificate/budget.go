package certificate

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBudget means that a project has used up its certificate requests. An authority limits
// requests per account and per domain, which all projects share.
var ErrBudget = errors.New("the project's budget of certificates is used up")

const (
	// budgetPeriod is the period of a budget: that of Let's Encrypt's own limits.
	budgetPeriod = 7 * 24 * time.Hour
	// hostAttempts is the maximum number of requests for one hostname per attemptPeriod,
	// and projectAttempts that for all hostnames of a project. Failed requests count, as
	// they do at the authority.
	hostAttempts    = 5
	projectAttempts = 20
	attemptPeriod   = time.Hour
)

// Budget limits the certificate requests of each project. It is safe for concurrent use.
type Budget struct {
	limit int
	now   func() time.Time

	mu sync.Mutex
	// requests contains the times of the latest requests, by project and hostname.
	requests map[string]map[string][]time.Time
}

// NewBudget returns a budget of limit hostnames per project and week.
func NewBudget(limit int, now func() time.Time) *Budget {
	return &Budget{limit: limit, now: now, requests: map[string]map[string][]time.Time{}}
}

// Take counts a certificate request of a project for a hostname. It returns ErrBudget, and
// counts nothing, if the request exceeds a limit.
func (b *Budget) Take(project, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	hosts := b.requests[project]
	if hosts == nil {
		hosts = map[string][]time.Time{}
		b.requests[project] = hosts
	}
	recent := 0
	for name, times := range hosts {
		for _, at := range times {
			if now.Sub(at) < attemptPeriod {
				recent++
			}
		}
		// Forget a hostname a week after its last request.
		if now.Sub(times[len(times)-1]) >= budgetPeriod {
			delete(hosts, name)
		}
	}
	if recent >= projectAttempts {
		return fmt.Errorf("%w: %d attempts per hour", ErrBudget, projectAttempts)
	}
	times := hosts[host]
	if len(times) == 0 && len(hosts) >= b.limit {
		return fmt.Errorf("%w: %d per week", ErrBudget, b.limit)
	}
	if len(times) >= hostAttempts {
		if now.Sub(times[len(times)-hostAttempts]) < attemptPeriod {
			return fmt.Errorf("%w: %d attempts per hour for one hostname", ErrBudget, hostAttempts)
		}
		times = times[1:]
	}
	hosts[host] = append(times, now)
	return nil
}
