package reconcile_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/store"
)

// A change may be applied after the work on its function has begun, and before the
// worker has recorded which generation it has loaded.
func TestApply_CancelsWorkWhoseGenerationIsNotRecordedYet(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change   functions.Function
		loaded   int64
		canceled bool
	}{
		"newer deployment":           {functions.Function{Generation: 2, Status: functions.Pending}, 1, true},
		"deletion":                   {functions.Function{Generation: 1, Status: functions.Deleting}, 1, true},
		"same deployment":            {functions.Function{Generation: 1, Status: functions.Pending}, 1, false},
		"newer deployment is loaded": {functions.Function{Generation: 2, Status: functions.Pending}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconcile.NewForQueue()
			r.Apply(store.Change{Object: functions.Function{ID: "f", Generation: 1, Status: functions.Pending}})
			work, loaded := reconcile.BeginWork(r)
			test.change.ID = "f"
			r.Apply(store.Change{Object: test.change})
			loaded(test.loaded)
			if canceled := work.Err() != nil; canceled != test.canceled {
				t.Errorf("got canceled %t, want %t", canceled, test.canceled)
			}
		})
	}
}
