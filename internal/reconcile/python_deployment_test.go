package reconcile_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

func TestPythonDeployment_ServesWithItsVariables(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	sealed := func(name, value string) functions.SecretVariable {
		return functions.SecretVariable{Key: name, Sealed: w.sealer.Seal([]byte(value), functions.VariablePurpose(name))}
	}
	n := w.namespace(func(n *functions.Namespace) {
		n.Variables = map[string]string{"A": "namespace", "B": "namespace", "C": "namespace", "SCW_PUBLIC": "forged"}
		n.Secrets = []functions.SecretVariable{sealed("D", "namespace's secret"), sealed("E", "namespace's secret")}
	})
	f := w.function(n, func(f *functions.Function) {
		f.Variables = map[string]string{"A": "function", "D": "function"}
		f.Secrets = []functions.SecretVariable{sealed("B", "function's secret")}
	})
	got := w.deploy(f.ID, "import json, os\n\ndef handle(event, context):\n    return json.dumps({k: os.environ.get(k, '') for k in ['A', 'B', 'C', 'D', 'E', 'SCW_PUBLIC', 'SCW_APPLICATION_ID', 'PORT']})\n")
	if got.Status != functions.Ready || got.ErrorMessage != "" || got.BuildMessage != "" || got.ReadyAt.IsZero() || got.Rebuild {
		t.Fatalf("got %+v, want a ready function", got)
	}
	answer := w.call(got)
	for name, want := range map[string]string{
		"A": "function", "B": "function's secret", "C": "namespace", "D": "function", "E": "namespace's secret", "SCW_PUBLIC": "false", "SCW_APPLICATION_ID": f.ID, "PORT": "8080",
	} {
		if !strings.Contains(answer, `"`+name+`": "`+want+`"`) {
			t.Errorf("got %s, want %s = %q", answer, name, want)
		}
	}
	for name, value := range got.Revision.Variables {
		if strings.Contains(value, "secret") {
			t.Errorf("got variable %s = %q in the revision, want secrets to be sealed", name, value)
		}
	}
}

func TestPythonDeployment_FailsWithTheErrorOfTheTools(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*functions.Function)
		handler string
		want    []string
	}{
		"syntax error":    {nil, "def handle(:\n", []string{"an error occurred during function source code build step: ", "handler.py"}},
		"does not start":  {nil, "raise RuntimeError('no database')\n", []string{"the function does not start: "}},
		"no such handler": {func(f *functions.Function) { f.Handler = "other.handle" }, hello, []string{"other"}},
		"no builder":      {func(f *functions.Function) { f.Runtime, f.Handler = "go126", "Handle" }, hello, []string{"an error occurred during function source code build step: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPythonFixture(t)
			f := w.function(w.namespace(nil), test.change)
			got := w.deploy(f.ID, test.handler)
			if got.Status != functions.Failed || got.Revision != nil || got.BuildMessage != "" || !got.ReadyAt.IsZero() {
				t.Errorf("got %+v, want a failed function without a revision", got)
			}
			for _, want := range test.want {
				if !strings.Contains(got.ErrorMessage, want) {
					t.Errorf("got error %q, want %q in it", got.ErrorMessage, want)
				}
			}
			await.True(t, "no artifact is left", func() bool { return len(w.files("artifacts", f.ID)) == 0 })
		})
	}
}

// A failed deployment changes nothing for callers. The next successful one clears the
// error.
func TestPythonDeployment_KeepsTheOldRevisionUntilTheNewOneServes(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	f := w.function(w.namespace(nil), func(f *functions.Function) { f.Variables = map[string]string{"A": "1"} })
	first := w.deploy(f.ID, hello)
	failed := w.deploy(f.ID, "def handle(:\n")
	if failed.Status != functions.Failed || failed.Revision == nil || failed.Revision.ID != first.Revision.ID || w.call(failed) != "1" {
		t.Errorf("got %s, revision %+v after a failure, want the first revision", failed.Status, failed.Revision)
	}
	third := w.deploy(f.ID, strings.ReplaceAll(hello, "return ", "return 'new ' + "))
	if third.Status != functions.Ready || third.ErrorMessage != "" || third.Revision.ID == first.Revision.ID || w.call(third) != "new 1" {
		t.Errorf("got %s %q after a successful deployment, want its revision to serve", third.Status, third.ErrorMessage)
	}
	if !third.ReadyAt.Equal(first.ReadyAt) {
		t.Errorf("got ready at %s, want it unchanged from %s", third.ReadyAt, first.ReadyAt)
	}
	await.True(t, "the files of the old revision are removed", func() bool {
		return len(w.files("artifacts", f.ID)) == 1 && len(w.files("archives", f.ID)) == 1
	})
}

func TestPythonDeployment_IsCanceledByALaterOneWhileItStarts(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	f := w.function(w.namespace(nil), nil)
	w.begin(f.ID, "import time\ntime.sleep(100000)\n")
	await.True(t, "the slow revision is built and starts", func() bool { return len(w.files("artifacts", f.ID)) > 0 })
	got := w.deploy(f.ID, hello)
	if got.Status != functions.Ready || w.call(got) != "none" || got.Generation != 2 {
		t.Errorf("got %s %q, generation %d, want generation 2 to serve", got.Status, got.ErrorMessage, got.Generation)
	}
	await.True(t, "one artifact is left", func() bool { return len(w.files("artifacts", f.ID)) == 1 })
}

// A deployment without changes keeps the revision. A build of the same archive takes
// the cached one.
func TestPythonDeployment_OfUnchangedCode(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	f := w.function(w.namespace(nil), nil)
	first := w.deploy(f.ID, hello)
	again := func(change func(*functions.Function)) functions.Function {
		w.update(func(tx functions.Tx) error {
			f, err := tx.Function(f.ID)
			if err != nil {
				return err
			}
			change(&f)
			f.StartDeployment(time.Now())
			return tx.Put(f)
		})
		return w.settled(f.ID)
	}
	if got := again(func(f *functions.Function) { f.Description = "changed" }); got.Status != functions.Ready || got.Revision.ID != first.Revision.ID {
		t.Errorf("unchanged: got %s, revision %s, want %s", got.Status, got.Revision.ID, first.Revision.ID)
	}
	changed := again(func(f *functions.Function) { f.Variables = map[string]string{"A": "2"} })
	if changed.Revision.ID == first.Revision.ID || changed.Revision.Artifact != first.Revision.Artifact || w.call(changed) != "2" {
		t.Errorf("changed variable: got revision %+v, want a new one with the same artifact", changed.Revision)
	}
	rebuilt := again(func(f *functions.Function) { f.Rebuild = true })
	if rebuilt.Status != functions.Ready || w.call(rebuilt) != "2" {
		t.Errorf("rebuilt: got %s %q, want ready", rebuilt.Status, rebuilt.ErrorMessage)
	}
	log, err := os.ReadFile(buildLogOf(t, w, f.ID))
	if err != nil || !strings.Contains(string(log), "The same archive was built before") {
		t.Errorf("got build log %q, %v, want it to name the earlier build", log, err)
	}
}

func buildLogOf(t *testing.T, w *pythonFixture, id string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "logs", id, "build.log"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

func TestBuild_FailsAtItsLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		option func(*reconcile.Config)
		want   string
	}{
		"time":       {func(c *reconcile.Config) { c.BuildTimeout = time.Nanosecond }, "it took longer than 1ns"},
		"disk space": {func(c *reconcile.Config) { c.BuildDisk = 1 }, "of disk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPythonFixture(t, test.option)
			if got := w.deploy(w.function(w.namespace(nil), nil).ID, hello); got.Status != functions.Failed || !strings.Contains(got.ErrorMessage, test.want) {
				t.Errorf("got %s %q, want failed with %q", got.Status, got.ErrorMessage, test.want)
			}
		})
	}
}

// After a restart, revisions serve again. A function without its artifact is built
// again, and does not show the error of an earlier deployment meanwhile.
func TestRestore_ServesAndRebuilds(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	n := w.namespace(nil)
	complete, broken := w.deploy(w.function(n, nil).ID, hello), w.deploy(w.function(n, nil).ID, hello)
	w.deploy(broken.ID, "def handle(:\n")
	w.stop()
	if err := os.RemoveAll(filepath.Join(w.dir, "artifacts", broken.ID)); err != nil {
		t.Fatal(err)
	}
	seen := map[functions.Status]string{}
	if err := w.db.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) {
		if f, ok := c.Object.(functions.Function); ok && f.ID == broken.ID {
			seen[f.Status] = f.ErrorMessage
		}
	}}); err != nil {
		t.Fatal(err)
	}
	w.start()
	if got := w.settled(complete.ID); got.Revision.ID != complete.Revision.ID || w.call(got) != "none" {
		t.Errorf("got %s, revision %s, want ready, %s", got.Status, got.Revision.ID, complete.Revision.ID)
	}
	got := w.settled(broken.ID)
	if got.Status != functions.Ready || got.ErrorMessage != "" || got.Revision.ID == broken.Revision.ID || w.call(got) != "none" {
		t.Errorf("got %s %q, want it rebuilt", got.Status, got.ErrorMessage)
	}
	w.stop()
	if message, pending := seen[functions.Pending]; !pending || message != "" {
		t.Errorf("got statuses %v, message %q while pending, want pending without a message", slices.Sorted(maps.Keys(seen)), message)
	}
}

func TestDeleteFunction_LeavesNoFiles(t *testing.T) {
	t.Parallel()
	w := newPythonFixture(t)
	n := w.namespace(nil)
	f := w.deploy(w.function(n, nil).ID, hello)
	w.call(f)
	starting := w.function(n, nil)
	w.begin(starting.ID, "import time\ntime.sleep(100000)\n")
	for _, id := range []string{f.ID, starting.ID} {
		w.update(func(tx functions.Tx) error {
			f, err := tx.Function(id)
			if err != nil {
				return err
			}
			f.MarkDeleting(time.Now())
			return tx.Put(f)
		})
	}
	for _, id := range []string{f.ID, starting.ID} {
		await.True(t, "the function is gone", func() bool {
			_, there := view(w, id, functions.Tx.Function)
			return !there
		})
		for _, kind := range []string{"archives", "artifacts", "logs"} {
			if left := w.files(kind, id); len(left) > 0 {
				t.Errorf("got %s %v, want none left", kind, left)
			}
		}
	}
}
