package scale

import (
	"testing"
	"time"
)

func TestIdleNeedsWake(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	const toOne = 30 * time.Second
	two := []*Instance{{}, {}}
	tests := map[string]struct {
		revision revision
		want     bool
	}{
		"no decision is scheduled":              {revision{limits: Limits{Max: 5}, idle: two}, true},
		"the next decision comes too late":      {revision{limits: Limits{Max: 5}, idle: two, wakeAt: now.Add(toOne + 1)}, true},
		"the next decision comes in time":       {revision{limits: Limits{Max: 5}, idle: two, wakeAt: now.Add(toOne)}, false},
		"the only instance":                     {revision{limits: Limits{Max: 5}, idle: two[:1], wakeAt: now.Add(toOne + 1)}, false},
		"the minimum":                           {revision{limits: Limits{Min: 2, Max: 5}, idle: two}, false},
		"the minimum, with a busy instance":     {revision{limits: Limits{Min: 2, Max: 5}, idle: two[:1], busy: 1}, false},
		"more than the minimum":                 {revision{limits: Limits{Min: 2, Max: 5}, idle: two, busy: 1}, true},
		"more than the maximum":                 {revision{limits: Limits{Max: 1}, idle: two, wakeAt: now.Add(1)}, true},
		"the minimum of a retired revision":     {revision{limits: Limits{Min: 2, Max: 5}, idle: two, retired: true}, true},
		"a retired revision, with a decision":   {revision{limits: Limits{Max: 5}, idle: two, retired: true, wakeAt: now.Add(1)}, true},
		"the minimum, with a later decision":    {revision{limits: Limits{Min: 2, Max: 5}, idle: two, wakeAt: now.Add(time.Hour)}, false},
		"more than the minimum, in time":        {revision{limits: Limits{Min: 1, Max: 5}, idle: two, wakeAt: now.Add(toOne)}, false},
		"more than the minimum, later":          {revision{limits: Limits{Min: 1, Max: 5}, idle: two, wakeAt: now.Add(time.Hour)}, true},
		"the minimum, while another one starts": {revision{limits: Limits{Min: 1, Max: 5}, idle: two[:1], starting: 1}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Scaler{config: Config{IdleToOne: toOne}}
			if got := s.idleNeedsWake(&test.revision, now); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
