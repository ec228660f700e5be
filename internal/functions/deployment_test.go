package functions_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// deploying is a function whose third deployment is in progress, and whose message
// is left over from an earlier status.
func deploying() functions.Function {
	return functions.Function{
		Status: functions.Pending, ErrorMessage: "old", BuildMessage: "old", Generation: 3, ReadyAt: start,
		Archive: "uploaded", Target: "deployed", FromScratch: true,
	}
}

func TestFunction_TransitionsSetStatusAndMessage(t *testing.T) {
	t.Parallel()
	now := start.Add(time.Hour)
	done := func(error) {}
	for name, test := range map[string]struct {
		apply  func(*functions.Function)
		status functions.Status
		// message and build are the messages afterwards.
		message, build string
		generation     int64
		target         string
	}{
		"start a deployment": {func(f *functions.Function) { f.StartDeployment(now) }, functions.Pending, "", "", 4, "deployed"},
		"start a build":      {func(f *functions.Function) { f.StartBuild(now) }, functions.Pending, "", "", 4, "uploaded"},
		"ready":              {func(f *functions.Function) { done(f.MarkReady(3, functions.Revision{ID: "r"}, now)) }, functions.Ready, "", "", 3, "deployed"},
		"failed":             {func(f *functions.Function) { done(f.Fail(3, "new", now)) }, functions.Failed, "new", "", 3, "deployed"},
		"progress":           {func(f *functions.Function) { done(f.SetBuildMessage(3, "step", now)) }, functions.Pending, "old", "step", 3, "deployed"},
		"deleting":           {func(f *functions.Function) { f.MarkDeleting(now) }, functions.Deleting, "", "", 3, "deployed"},
	} {
		f := deploying()
		test.apply(&f)
		if f.Status != test.status || f.ErrorMessage != test.message || f.BuildMessage != test.build || f.Generation != test.generation ||
			f.Target != test.target || !f.UpdatedAt.Equal(now) || !f.ReadyAt.Equal(start) {
			t.Errorf("%s: got %+v", name, f)
		}
	}
}

func TestFunction_StepsOfOtherDeploymentsChangeNothing(t *testing.T) {
	t.Parallel()
	deleting, ready := deploying(), deploying()
	deleting.Status, ready.Status = functions.Deleting, functions.Ready
	for name, test := range map[string]struct {
		f          functions.Function
		generation int64
	}{
		"an earlier deployment": {deploying(), 2}, "a later deployment": {deploying(), 4}, "a deletion": {deleting, 3}, "an ended deployment": {ready, 3},
	} {
		for step, apply := range map[string]func(*functions.Function) error{
			"ready":    func(f *functions.Function) error { return f.MarkReady(test.generation, functions.Revision{}, start) },
			"fail":     func(f *functions.Function) error { return f.Fail(test.generation, "m", start) },
			"progress": func(f *functions.Function) error { return f.SetBuildMessage(test.generation, "m", start) },
		} {
			f := test.f
			if err := apply(&f); !errors.Is(err, functions.ErrSuperseded) || f.ErrorMessage != "old" || f.BuildMessage != "old" || f.Revision != nil {
				t.Errorf("%s, %s: got %v, %+v, want ErrSuperseded and no change", name, step, err, f)
			}
		}
	}
}

// TestFunction_BuildsFromScratchAfterFailure: what earlier builds kept may be the
// cause of the failure.
func TestFunction_BuildsFromScratchAfterFailure(t *testing.T) {
	t.Parallel()
	f := functions.Function{Archive: "a", Status: functions.Created}
	build := func(want bool) {
		t.Helper()
		if f.StartBuild(start); f.FromScratch != want || !f.Rebuild {
			t.Errorf("FromScratch = %v, Rebuild = %v, want %v and true", f.FromScratch, f.Rebuild, want)
		}
	}
	build(false)
	if err := f.Fail(f.Generation, "m", start); err != nil {
		t.Fatal(err)
	}
	build(true)
	build(true) // It supersedes a deployment from scratch.
	if err := f.MarkReady(f.Generation, functions.Revision{ID: "r", Archive: "a"}, start); err != nil {
		t.Fatal(err)
	}
	if f.StartDeployment(start); f.FromScratch || f.Rebuild {
		t.Error("a deployment after a successful one builds from scratch")
	}
	if f.StartRebuild(start) {
		t.Error("StartRebuild supersedes a deployment in progress")
	}
	if err := f.MarkReady(f.Generation, *f.Revision, start); err != nil {
		t.Fatal(err)
	}
	f.Archive = "b"
	if !f.StartRebuild(start) || f.Target != "a" || !f.Rebuild || f.FromScratch {
		t.Errorf("StartRebuild builds %s, want the serving code a: %+v", f.Target, f)
	}
	f = functions.Function{Status: functions.Created}
	if f.StartRebuild(start) {
		t.Error("StartRebuild deploys a function without a revision")
	}
}

func TestTransitions_RequireTheirStatus(t *testing.T) {
	t.Parallel()
	all := []functions.Status{functions.Created, functions.Creating, functions.Pending, functions.Ready, functions.Failed, functions.Deleting}
	for name, test := range map[string]struct {
		from, to functions.Status
		apply    func(functions.Status) (functions.Status, bool)
	}{
		"token": {functions.Creating, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			o := functions.Token{Status: s}
			changed := o.MarkReady()
			return o.Status, changed
		}},
		"cron": {functions.Pending, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			o := functions.Cron{Status: s}
			changed := o.MarkReady()
			return o.Status, changed
		}},
		"cron is called": {functions.Ready, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			o := functions.Cron{Status: s}
			changed := o.MarkCalled(start)
			return o.Status, changed && o.NextAfter.Equal(start)
		}},
		"trigger": {functions.Creating, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			source := &functions.SQSQueue{}
			o := functions.Trigger{Status: s, SQS: source}
			changed := o.MarkReady("credential")
			return o.Status, changed && o.SQS.CredentialID == "credential" && source.CredentialID == ""
		}},
		"trigger fails": {functions.Creating, functions.Failed, func(s functions.Status) (functions.Status, bool) {
			o := functions.Trigger{Status: s}
			changed := o.Fail("m")
			return o.Status, changed && o.ErrorMessage == "m"
		}},
		"domain": {functions.Pending, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			o := functions.Domain{Status: s}
			changed := o.MarkReady()
			return o.Status, changed
		}},
		"domain fails": {functions.Pending, functions.Failed, func(s functions.Status) (functions.Status, bool) {
			o := functions.Domain{Status: s}
			changed := o.Fail("m")
			return o.Status, changed && o.ErrorMessage == "m"
		}},
		"namespace gets keys": {functions.Pending, functions.Ready, func(s functions.Status) (functions.Status, bool) {
			o := functions.Namespace{Status: s}
			changed := o.ProvisionKeys("public", []byte("sealed"), "registry", start)
			return o.Status, changed && o.PublicKey == "public"
		}},
	} {
		for _, from := range all {
			want := from
			if from == test.from {
				want = test.to
			}
			if got, changed := test.apply(from); got != want || changed != (from == test.from) {
				t.Errorf("%s: from %s to %s, changed: %v, want %s", name, from, got, changed, want)
			}
		}
	}
}

func TestRemove_RequiresDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("removed")
	f := w.newFunction(n, "f")
	remove := func() {
		t.Helper()
		err := w.store.Update(t.Context(), func(tx functions.Tx) error {
			return errors.Join(functions.DeleteEmptyNamespace(tx, n.ID), functions.RemoveFunction(tx, f.ID))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exist := func(function, namespace bool) {
		t.Helper()
		_, err := w.Function(t.Context(), paris, f.ID)
		_, err2 := w.Namespace(t.Context(), paris, n.ID)
		if (err == nil) != function || (err2 == nil) != namespace {
			t.Errorf("function: %v, namespace: %v, want them to exist: %v, %v", err, err2, function, namespace)
		}
	}
	remove()
	exist(true, true)
	if _, err := w.DeleteNamespace(t.Context(), paris, n.ID); err != nil {
		t.Fatal(err)
	}
	remove() // The namespace still has the function.
	exist(false, true)
	if err := w.store.Update(t.Context(), func(tx functions.Tx) error { return functions.DeleteEmptyNamespace(tx, n.ID) }); err != nil {
		t.Fatal(err)
	}
	exist(false, false)
}

func TestRedeployNamespace_StartsDeploymentsOfDeployedFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("redeploy")
	created, deployed, deleting := w.newFunction(n, "created"), w.newFunction(n, "deployed"), w.newFunction(n, "deleting")
	deployed.Status, deployed.Revision, deployed.Target = functions.Ready, &functions.Revision{ID: "r", Archive: "a"}, "a"
	deleting.Status, deleting.Revision = functions.Deleting, &functions.Revision{ID: "s"}
	w.put(deployed)
	w.put(deleting)
	redeploy := func() {
		t.Helper()
		if err := w.store.Update(t.Context(), func(tx functions.Tx) error { return functions.RedeployNamespace(tx, n.ID, start) }); err != nil {
			t.Fatal(err)
		}
	}
	redeploy() // The namespace is not pending.
	if got, err := w.Function(t.Context(), paris, deployed.ID); err != nil || got.Status != functions.Ready {
		t.Fatalf("got %s, %v, want no deployment of a ready namespace", got.Status, err)
	}
	n.Status = functions.Pending
	w.put(n)
	redeploy()
	for id, want := range map[string]functions.Status{created.ID: functions.Created, deployed.ID: functions.Pending, deleting.ID: functions.Deleting} {
		if got, err := w.Function(t.Context(), paris, id); err != nil || got.Status != want {
			t.Errorf("function %s: got %s, %v, want %s", got.Name, got.Status, err, want)
		}
	}
	if got, err := w.Namespace(t.Context(), paris, n.ID); err != nil || got.Status != functions.Ready {
		t.Errorf("the namespace is %s, %v, want ready", got.Status, err)
	}
}
