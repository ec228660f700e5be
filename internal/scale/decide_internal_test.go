package scale

import (
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	config := Config{IdleToOne: 30 * time.Second, IdleToZero: 15 * time.Minute}

	tests := map[string]struct {
		state state
		want  decision
	}{
		"nothing to do": {
			state: state{limits: Limits{Max: 5}},
		},
		"a call waits": {
			state: state{limits: Limits{Max: 5}, waiting: 1},
			want:  decision{start: 1},
		},
		"a call waits and its instance is starting": {
			state: state{limits: Limits{Max: 5}, waiting: 1, starting: 1},
		},
		"more calls wait than instances may run": {
			state: state{limits: Limits{Max: 5}, waiting: 9, busy: 2, starting: 1},
			want:  decision{start: 2},
		},
		"the maximum is lower than the busy instances": {
			state: state{limits: Limits{Max: 1}, waiting: 3, busy: 2},
		},
		"Warm waits": {
			state: state{limits: Limits{Max: 5}, warming: true},
			want:  decision{start: 1},
		},
		"Warm waits and an instance is starting": {
			state: state{limits: Limits{Max: 5}, warming: true, starting: 1},
		},
		"Warm and calls wait": {
			state: state{limits: Limits{Max: 5}, warming: true, waiting: 3},
			want:  decision{start: 3},
		},
		"instances are missing for the minimum": {
			state: state{limits: Limits{Min: 3, Max: 5}, busy: 1},
			want:  decision{start: 2},
		},
		"a call waits and instances are missing for the minimum": {
			state: state{limits: Limits{Min: 3, Max: 5}, waiting: 1},
			want:  decision{start: 3},
		},
		"the minimum pauses after a crash": {
			state: state{limits: Limits{Min: 1, Max: 5}, notBefore: now.Add(time.Second)},
			want:  decision{again: now.Add(time.Second)},
		},
		"a call does not wait for the pause": {
			state: state{limits: Limits{Max: 5}, waiting: 1, notBefore: now.Add(time.Second)},
			want:  decision{start: 1},
		},
		"the minimum of a retired revision is not kept": {
			state: state{limits: Limits{Min: 3, Max: 5}, retired: true},
		},
		"a call still waits for a retired revision": {
			state: state{limits: Limits{Max: 5}, waiting: 1, retired: true},
			want:  decision{start: 1},
		},
		"a retired revision is idle": {
			state: state{limits: Limits{Min: 2, Max: 5}, retired: true, idle: []time.Time{now, now}},
			want:  decision{stop: 2},
		},
		"the last is idle": {
			state: state{limits: Limits{Max: 5}, idle: []time.Time{ago(time.Minute)}},
			want:  decision{again: now.Add(14 * time.Minute)},
		},
		"the last was idle for too long": {
			state: state{limits: Limits{Max: 5}, idle: []time.Time{ago(15 * time.Minute)}},
			want:  decision{stop: 1},
		},
		"the minimum is idle": {
			state: state{limits: Limits{Min: 1, Max: 5}, idle: []time.Time{ago(time.Hour)}},
		},
		"one is idle and another one is busy": {
			state: state{limits: Limits{Max: 5}, busy: 1, idle: []time.Time{ago(10 * time.Second)}},
			want:  decision{again: now.Add(20 * time.Second)},
		},
		"some were idle for too long": {
			state: state{limits: Limits{Max: 5}, idle: []time.Time{
				ago(50 * time.Second), ago(30 * time.Second), ago(10 * time.Second), ago(0),
			}},
			want: decision{stop: 2, again: now.Add(20 * time.Second)},
		},
		"all were idle for too long, and one is kept": {
			state: state{limits: Limits{Max: 5}, idle: []time.Time{
				ago(60 * time.Second), ago(50 * time.Second), ago(40 * time.Second),
			}},
			want: decision{stop: 2, again: now.Add(15*time.Minute - 40*time.Second)},
		},
		"idle ones above a lowered maximum": {
			state: state{limits: Limits{Min: 2, Max: 2}, idle: []time.Time{ago(2), ago(1), ago(0)}},
			want:  decision{stop: 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.state.now = now
			if got := decide(test.state, config); got != test.want {
				t.Errorf("decide(%+v) = %+v, want %+v", test.state, got, test.want)
			}
		})
	}
}

// TestDecide_KeepsInvariants checks the invariants of decisions in 16384 states.
func TestDecide_KeepsInvariants(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	config := Config{IdleToOne: 30 * time.Second, IdleToZero: 15 * time.Minute}
	for bits := range 1 << 14 {
		s := state{
			now:      now,
			limits:   Limits{Min: bits & 3, Max: max(bits&3, 1+bits>>2&3)},
			waiting:  bits >> 4 & 3,
			starting: bits >> 6 & 3,
			busy:     bits >> 8 & 3,
			retired:  bits>>10&1 == 1,
			warming:  bits>>11&1 == 1,
		}
		for i := range bits >> 12 & 3 {
			s.idle = append(s.idle, now.Add(-time.Hour+time.Duration(i)))
		}
		if len(s.idle) > 0 && s.waiting > 0 {
			// A waiting call gets an idle instance before a decision.
			continue
		}
		d := decide(s, config)
		after := s.live() + d.start - d.stop
		switch {
		case d.start < 0 || d.stop < 0 || d.stop > len(s.idle):
			t.Fatalf("decide(%+v) = %+v, want start and stop within the instances", s, d)
		case d.start > 0 && after > s.limits.Max:
			t.Fatalf("decide(%+v) = %+v, above the maximum", s, d)
		case d.stop > 0 && after < s.limits.Min && !s.retired:
			t.Fatalf("decide(%+v) = %+v, below the minimum", s, d)
		case s.waiting > 0 && after == 0:
			t.Fatalf("decide(%+v) = %+v, no instance for a waiting call", s, d)
		}
	}
}
