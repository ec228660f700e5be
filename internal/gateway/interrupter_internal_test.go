package gateway

import (
	"slices"
	"testing"
)

func TestInterrupter(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		steps []string
		// inTime are the results of Unwatch.
		inTime []bool
		calls  int
	}{
		"a call ends in time":             {steps: []string{"watch", "unwatch"}, inTime: []bool{true}},
		"a call is interrupted":           {steps: []string{"watch", "run", "unwatch"}, inTime: []bool{false}, calls: 1},
		"a call ends before its context":  {steps: []string{"watch", "unwatch", "run"}, inTime: []bool{true}},
		"the context has ended before":    {steps: []string{"run", "watch", "unwatch"}, inTime: []bool{false}, calls: 1},
		"a second attempt is interrupted": {steps: []string{"watch", "unwatch", "watch", "run", "unwatch"}, inTime: []bool{true, false}, calls: 1},
		"the second attempt is too late":  {steps: []string{"watch", "run", "unwatch", "watch", "unwatch"}, inTime: []bool{false, false}, calls: 2},
	} {
		var i interrupter
		var inTime []bool
		calls := 0
		for _, step := range test.steps {
			switch step {
			case "watch":
				i.Watch(func() { calls++ })
			case "unwatch":
				inTime = append(inTime, i.Unwatch())
			case "run":
				i.run()
			}
		}
		if calls != test.calls || !slices.Equal(inTime, test.inTime) {
			t.Errorf("%s: interrupted %d times, in time %v, want %d and %v", name, calls, inTime, test.calls, test.inTime)
		}
	}
}
