package certificate_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/certificate"
)

func TestBudget_LimitsHostnamesAndAttempts(t *testing.T) {
	t.Parallel()
	testBudget(t, func(now func() time.Time) []*certificate.Budget {
		return []*certificate.Budget{certificate.NewBudget(3, now)}
	})
}

// Servers that share settings have one budget.
func TestBudget_IsOneForAllServers(t *testing.T) {
	t.Parallel()
	shared := &settings{values: map[string][]byte{}}
	testBudget(t, func(now func() time.Time) (all []*certificate.Budget) {
		for range 3 {
			all = append(all, certificate.NewSharedBudget(3, now, shared))
		}
		return all
	})
}

// settings implements certificate.Settings.
type settings struct {
	mu     sync.Mutex
	values map[string][]byte
}

// ChangeSetting implements certificate.Settings.
func (s *settings) ChangeSetting(_ context.Context, name string, change func([]byte) ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, err := change(s.values[name])
	if err == nil {
		s.values[name] = value
	}
	return value, err
}

// testBudget makes requests at several servers in turn.
func testBudget(t *testing.T, open func(now func() time.Time) []*certificate.Budget) {
	t.Helper()
	now := time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
	budgets := open(func() time.Time { return now })
	taken := 0
	take := func(project, host string, allowed bool) {
		t.Helper()
		taken++
		if err := budgets[taken%len(budgets)].Take(t.Context(), project, host); (err == nil) != allowed || err != nil && !errors.Is(err, certificate.ErrBudget) {
			t.Errorf("Take(%s, %s): got %v, want allowed %t", project, host, err, allowed)
		}
	}
	for i := range 3 {
		take("a", fmt.Sprint(i), true)
	}
	take("a", "3", false)
	// Another project has a budget of its own.
	take("b", "3", true)
	// A counted hostname can be requested again, up to five times an hour.
	for range 4 {
		take("a", "0", true)
	}
	take("a", "0", false)
	now = now.Add(time.Hour)
	take("a", "0", true)
	take("a", "3", false)
	now = now.Add(7*24*time.Hour - time.Minute)
	take("a", "3", true)
}
