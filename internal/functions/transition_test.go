package functions_test

import (
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// No transition leaves a message behind that is of another status.
func TestTransitions_DropMessagesOfOtherStatuses(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour)
	revision := functions.Revision{ID: "r"}
	for name, test := range map[string]struct {
		apply   func(*functions.Function)
		status  functions.Status
		message string
	}{
		"start of a deployment": {func(f *functions.Function) { f.StartDeployment(now) }, functions.Pending, ""},
		"ready":                 {func(f *functions.Function) { f.MarkReady(revision, now) }, functions.Ready, ""},
		"failed":                {func(f *functions.Function) { f.Fail("new", now) }, functions.Failed, "new"},
		"deleting":              {func(f *functions.Function) { f.MarkDeleting(now) }, functions.Deleting, ""},
	} {
		f := functions.Function{Status: functions.Failed, ErrorMessage: "old", BuildMessage: "old", Generation: 3, ReadyAt: start}
		test.apply(&f)
		if f.Status != test.status || f.ErrorMessage != test.message || f.BuildMessage != "" || !f.UpdatedAt.Equal(now) || !f.ReadyAt.Equal(start) {
			t.Errorf("%s: %+v", name, f)
		}
		if started := f.Generation == 4; started != (test.status == functions.Pending) {
			t.Errorf("%s: generation %d", name, f.Generation)
		}
	}
}

func TestDeleteTrigger_AnswersWithoutOldError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.newFunction(w.readyNamespace("triggers"), "f")
	failed := functions.Trigger{ID: w.NewID(), Region: f.Region, ProjectID: f.ProjectID, NamespaceID: f.NamespaceID, FunctionID: f.ID}
	failed.Fail("no such queue")
	if err := w.store.Update(t.Context(), func(tx functions.Tx) error { return tx.Put(failed) }); err != nil {
		t.Fatal(err)
	}
	if got, err := w.DeleteTrigger(t.Context(), paris, failed.ID); err != nil || got.Status != functions.Deleting || got.ErrorMessage != "" {
		t.Errorf("%+v, %v", got, err)
	}
}
