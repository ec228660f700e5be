package process

import (
	"testing"
	"time"
)

// TestBoosts_AreBoundedPerFunctionAndMinute takes parts until none is left.
func TestBoosts_AreBoundedPerFunctionAndMinute(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	b := &boosts{now: func() time.Time { return now }, spent: map[string]*boost{}}
	drain := func(id string) (sum time.Duration) {
		for part := b.take(id); part > 0; part = b.take(id) {
			sum += part
		}
		return sum
	}
	for _, step := range []struct {
		name string
		do   func()
		id   string
		want time.Duration
	}{
		{"at first", func() {}, "f", boostTime},
		{"another function", func() {}, "g", boostTime},
		{"within the minute", func() { now = now.Add(boostWindow - 1) }, "f", 0},
		{"after giveBack", func() { b.giveBack("f", time.Second) }, "f", time.Second},
		{"a minute later", func() { now = now.Add(1) }, "f", boostTime},
	} {
		step.do()
		if got := drain(step.id); got != step.want {
			t.Errorf("%s: %s gets %v, want %v", step.name, step.id, got, step.want)
		}
	}
}
