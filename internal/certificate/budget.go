package certificate

import (
	"context"
	"encoding/json"
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
	// shared is nil if there are no other servers.
	shared Settings

	mu sync.Mutex
	// requests contains the latest requests by project, without shared.
	requests map[string]requests
}

// requests are the times of the latest requests by hostname.
type requests map[string][]time.Time

// Settings are values that several servers share.
type Settings interface {
	// ChangeSetting replaces a setting by what change returns for the current value, nil if
	// it is not set. No other server changes the setting meanwhile. change may be called
	// several times.
	ChangeSetting(ctx context.Context, name string, change func(current []byte) ([]byte, error)) ([]byte, error)
}

// NewBudget returns a budget of limit hostnames per project and week.
func NewBudget(limit int, now func() time.Time) *Budget {
	return &Budget{limit: limit, now: now, requests: map[string]requests{}}
}

// NewSharedBudget is NewBudget for servers that share settings: they have one budget.
func NewSharedBudget(limit int, now func() time.Time, shared Settings) *Budget {
	return &Budget{limit: limit, now: now, shared: shared}
}

// settingPrefix precedes the ID of a project in the name of its setting.
const settingPrefix = "acme-budget/"

// Take counts a certificate request of a project for a hostname. It returns ErrBudget, and
// counts nothing, if the request exceeds a limit.
func (b *Budget) Take(ctx context.Context, project, host string) error {
	if b.shared != nil {
		var denied error
		_, err := b.shared.ChangeSetting(ctx, settingPrefix+project, func(current []byte) ([]byte, error) {
			hosts := requests{}
			if current != nil {
				if err := json.Unmarshal(current, &hosts); err != nil {
					return nil, fmt.Errorf("read the budget of certificates: %w", err)
				}
			}
			if denied = b.take(hosts, host); denied != nil {
				return nil, denied
			}
			return json.Marshal(hosts)
		})
		if denied != nil {
			return denied // Without the name of the setting.
		}
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.requests[project] == nil {
		b.requests[project] = requests{}
	}
	return b.take(b.requests[project], host)
}

// take adds a request to those of a project.
func (b *Budget) take(hosts requests, host string) error {
	now := b.now()
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
