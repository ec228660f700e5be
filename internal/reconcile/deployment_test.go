package reconcile_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

func TestDeployment_ServesWithItsVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
		t.Fatalf("%+v", got)
	}
	answer := w.call(got)
	for name, want := range map[string]string{
		"A": "function", "B": "function's secret", "C": "namespace", "D": "function", "E": "namespace's secret", "SCW_PUBLIC": "false", "SCW_APPLICATION_ID": f.ID, "PORT": "8080",
	} {
		if !strings.Contains(answer, `"`+name+`": "`+want+`"`) {
			t.Errorf("%s is not %q: %s", name, want, answer)
		}
	}
	for name, value := range got.Revision.Variables {
		if strings.Contains(value, "secret") {
			t.Errorf("the revision has the secret %s in clear", name)
		}
	}
}

func TestDeployment_FailsInTheAuthorsWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*functions.Function)
		handler string
		says    []string
	}{
		"a syntax error":    {nil, "def handle(:\n", []string{"an error occurred during function source code build step: ", "handler.py"}},
		"it does not start": {nil, "raise RuntimeError('no database')\n", []string{"the function does not start: "}},
		"no such handler":   {func(f *functions.Function) { f.Handler = "other.handle" }, hello, []string{"other"}},
		"no builder":        {func(f *functions.Function) { f.Runtime, f.Handler = "go126", "Handle" }, hello, []string{"an error occurred during function source code build step: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f := w.function(w.namespace(nil), test.change)
			got := w.deploy(f.ID, test.handler)
			if got.Status != functions.Failed || got.Revision != nil || got.BuildMessage != "" || !got.ReadyAt.IsZero() {
				t.Errorf("%+v", got)
			}
			for _, says := range test.says {
				if !strings.Contains(got.ErrorMessage, says) {
					t.Errorf("the error is %q, want %q in it", got.ErrorMessage, says)
				}
			}
			await.True(t, "no artifact is left", func() bool { return len(w.files("artifacts", f.ID)) == 0 })
		})
	}
}

func TestDeployment_WithoutCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace(nil), nil)
	w.update(func(tx functions.Tx) error { f.StartDeployment(time.Now()); return tx.Put(f) })
	if got := w.settled(f.ID); got.Status != functions.Failed || !strings.Contains(got.ErrorMessage, "no code was uploaded") {
		t.Errorf("%s %q", got.Status, got.ErrorMessage)
	}
}

// What has failed changes nothing for callers, and the next deployment that does not
// fail takes the error away.
func TestDeployment_KeepsTheOldRevisionUntilTheNewOneServes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace(nil), func(f *functions.Function) { f.Variables = map[string]string{"A": "1"} })
	first := w.deploy(f.ID, hello)
	failed := w.deploy(f.ID, "def handle(:\n")
	if failed.Status != functions.Failed || failed.Revision == nil || failed.Revision.ID != first.Revision.ID || w.call(failed) != "1" {
		t.Errorf("after a failure: %s, revision %+v", failed.Status, failed.Revision)
	}
	third := w.deploy(f.ID, strings.ReplaceAll(hello, "return ", "return 'new ' + "))
	if third.Status != functions.Ready || third.ErrorMessage != "" || third.Revision.ID == first.Revision.ID || w.call(third) != "new 1" {
		t.Errorf("afterwards: %s %q", third.Status, third.ErrorMessage)
	}
	if !third.ReadyAt.Equal(first.ReadyAt) {
		t.Error("it is ready for the first time twice")
	}
	await.True(t, "the files of the old revision are removed", func() bool {
		return len(w.files("artifacts", f.ID)) == 1 && len(w.files("archives", f.ID)) == 1
	})
}

// A deployment is counted by its generation: one that is asked for later cuts short
// the one before, however slow that is.
func TestDeployment_IsSupersededByALaterOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace(nil), nil)
	w.begin(f.ID, "import time\ntime.sleep(100000)\n")
	await.True(t, "the slow one is built, and starts", func() bool { return len(w.files("artifacts", f.ID)) > 0 })
	got := w.deploy(f.ID, hello)
	if got.Status != functions.Ready || w.call(got) != "none" || got.Generation != 2 {
		t.Errorf("%s %q, generation %d", got.Status, got.ErrorMessage, got.Generation)
	}
	await.True(t, "one artifact is left", func() bool { return len(w.files("artifacts", f.ID)) == 1 })
}

// A deployment that changes nothing keeps the revision, and one that builds the same
// archive again takes what was built.
func TestDeployment_OfTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
		t.Errorf("the same: %s, revision %s, want %s", got.Status, got.Revision.ID, first.Revision.ID)
	}
	changed := again(func(f *functions.Function) { f.Variables = map[string]string{"A": "2"} })
	if changed.Revision.ID == first.Revision.ID || changed.Revision.Artifact != first.Revision.Artifact || w.call(changed) != "2" {
		t.Errorf("another variable: %+v", changed.Revision)
	}
	rebuilt := again(func(f *functions.Function) { f.Rebuild = true })
	if rebuilt.Status != functions.Ready || w.call(rebuilt) != "2" {
		t.Errorf("built again: %s %q", rebuilt.Status, rebuilt.ErrorMessage)
	}
	log, err := os.ReadFile(buildLogOf(t, w, f.ID))
	if err != nil || !strings.Contains(string(log), "The same archive was built before") {
		t.Errorf("the log of the build is %q, %v", log, err)
	}
}

func buildLogOf(t *testing.T, w *world, id string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "logs", id, "build.log"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

func TestBuild_EndsAtItsLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		option func(*reconcile.Config)
		says   string
	}{
		"of time": {func(c *reconcile.Config) { c.BuildTimeout = time.Nanosecond }, "it took longer than 1ns"},
		"of disk": {func(c *reconcile.Config) { c.BuildDisk = 1 }, "of disk"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.option)
			if got := w.deploy(w.function(w.namespace(nil), nil).ID, hello); got.Status != functions.Failed || !strings.Contains(got.ErrorMessage, test.says) {
				t.Errorf("%s %q", got.Status, got.ErrorMessage)
			}
		})
	}
}

// A server that starts serves what served before. What cannot be launched is built
// anew, and does not show the error of an earlier deployment meanwhile.
func TestRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace(nil)
	whole, broken := w.deploy(w.function(n, nil).ID, hello), w.deploy(w.function(n, nil).ID, hello)
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
	if got := w.settled(whole.ID); got.Revision.ID != whole.Revision.ID || w.call(got) != "none" {
		t.Errorf("the whole one: %s, revision %s", got.Status, got.Revision.ID)
	}
	got := w.settled(broken.ID)
	if got.Status != functions.Ready || got.ErrorMessage != "" || got.Revision.ID == broken.Revision.ID || w.call(got) != "none" {
		t.Errorf("the broken one: %s %q", got.Status, got.ErrorMessage)
	}
	w.stop()
	if message, pending := seen[functions.Pending]; !pending || message != "" {
		t.Errorf("while it was deployed anew it showed %q: %v", message, maps.Keys(seen))
	}
}

func TestDeleteFunction_LeavesNoFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
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
				t.Errorf("left of %s: %v", kind, left)
			}
		}
	}
}
