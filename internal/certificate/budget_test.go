package certificate_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/certificate"
)

func TestBudget_LimitsHostnamesAndAttempts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
	budget := certificate.NewBudget(3, func() time.Time { return now })
	take := func(project, host string, allowed bool) {
		t.Helper()
		if err := budget.Take(project, host); (err == nil) != allowed || err != nil && !errors.Is(err, certificate.ErrBudget) {
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
