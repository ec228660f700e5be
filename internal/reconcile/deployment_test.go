package reconcile_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/scale"
)

// blockUntilCanceled is a build that does not end by itself.
func blockUntilCanceled(ctx context.Context, _ runtime.Build) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestDeploy_ReplacesTheServingRevision(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.deploy(fn.ID, "first")
		first := f.wantFunction(fn.ID, functions.Ready, "").Revision
		f.deploy(fn.ID, "second")
		second := f.wantFunction(fn.ID, functions.Ready, "").Revision
		if first == nil || second == nil || first.ID == second.ID {
			f.Fatalf("got revisions %v and %v, want two", first, second)
		}
		if f.instances.count("warm "+second.ID) != 1 || f.instances.count("remove "+first.ID) != 0 {
			f.Errorf("got %v, want a start check, and that no call is cut off", f.instances.all)
		}
		artifacts := filepath.Join(f.dir, "artifacts", fn.ID)
		if got := entries(artifacts); len(got) != 2 {
			f.Errorf("got artifacts %v, want both while the first revision has calls", got)
		}
		if !f.instances.end(first.ID) {
			f.Fatal("the first revision was not retired")
		}
		f.after(0)
		if got := entries(artifacts); !slices.Equal(got, []string{second.Artifact}) {
			f.Errorf("got artifacts %v, want %s", got, second.Artifact)
		}
	})
}

func TestDeploy_FailureKeepsTheServingRevision(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*fixture)
		message string
	}{
		"start fails": {
			func(f *fixture) {
				f.instances.warm.set(func(context.Context, string) error { return &scale.StartError{Reason: "no database"} })
			}, "the function does not start: no database",
		},
		"no memory": {
			func(f *fixture) {
				f.instances.warm.set(func(context.Context, string) error { return scale.ErrNoMemory })
			}, "the function was not started: no memory is free for an instance: deploy it again when other functions are idle",
		},
		"engine fails": {
			func(f *fixture) {
				f.engine.apply.set(func(engine.Revision) error { return errors.New("no such folder") })
			}, "internal error",
		},
		"build fails": {
			func(f *fixture) {
				f.builders.build.set(func(context.Context, runtime.Build) error { return runtime.Failf("syntax error") })
			}, "an error occurred during function source code build step: syntax error",
		},
		"build takes too long": {
			func(f *fixture) { f.builders.build.set(blockUntilCanceled) },
			"an error occurred during function source code build step: it took longer than 1m0s",
		},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fixture) {
				f.start()
				fn := f.newFunction()
				f.deploy(fn.ID, "first")
				first := f.wantFunction(fn.ID, functions.Ready, "").Revision
				test.change(f)
				f.deploy(fn.ID, "second")
				f.after(2 * time.Minute)
				got := f.wantFunction(fn.ID, functions.Failed, test.message)
				if got.Revision == nil || got.Revision.ID != first.ID {
					f.Errorf("got revision %v, want the first one", got.Revision)
				}
				if got := entries(filepath.Join(f.dir, "artifacts", fn.ID)); !slices.Equal(got, []string{first.Artifact}) {
					f.Errorf("got artifacts %v, want the first one", got)
				}
				if f.instances.count("remove "+first.ID) != 0 {
					f.Error("the serving revision was removed")
				}
			})
		})
	}
}

func TestDeploy_WithoutCodeFails(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.put(func() functions.Function { fn.StartDeployment(time.Now()); return fn }())
		f.after(0)
		if got := f.function(fn.ID); got.Status != functions.Failed || !strings.Contains(got.ErrorMessage, "no code was uploaded") {
			f.Errorf("got %s %q", got.Status, got.ErrorMessage)
		}
	})
}

func TestDeploy_IsCanceledByANewerOne(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		var canceled atomic.Bool
		f.builders.build.set(func(ctx context.Context, b runtime.Build) error {
			defer canceled.Store(true)
			return blockUntilCanceled(ctx, b)
		})
		f.deploy(fn.ID, "first")
		if canceled.Load() {
			f.Fatal("the first build has ended before the second deployment")
		}
		f.builders.build.set(nil)
		f.deploy(fn.ID, "second")
		if got := f.wantFunction(fn.ID, functions.Ready, ""); !canceled.Load() || got.Generation != 2 {
			f.Errorf("got generation %d, first build canceled %t, want 2, true", got.Generation, canceled.Load())
		}
		if log := f.log.String(); strings.Contains(log, "will be retried") {
			f.Errorf("got log %s, want no retry", log)
		}
	})
}

func TestDeploy_IsCanceledByTheDeletion(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.builders.build.set(blockUntilCanceled)
		f.deploy(fn.ID, "code")
		f.delete(fn.ID)
		f.wantGone(fn.ID)
		if f.logs.count("remove") != 1 || len(entries(filepath.Join(f.dir, "archives"))) > 0 {
			f.Error("the logs or archives of the deleted function are left")
		}
	})
}

func (f *fixture) delete(id string) {
	f.Helper()
	if err := f.change(id, func(fn *functions.Function) { fn.MarkDeleting(time.Now()) }); err != nil {
		f.Fatal(err)
	}
	f.after(0)
}

func (f *fixture) wantGone(id string) {
	f.Helper()
	if fn, ok := get(f, id, functions.Tx.Function); ok {
		f.Errorf("got function %s, want it deleted", fn.Status)
	}
}

func TestDelete_IsRetriedUntilInstancesEnd(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		f.instances.remove.set(func(string) error { return errors.New("still running") })
		f.delete(fn.ID)
		f.after(30 * time.Second)
		f.wantFunction(fn.ID, functions.Deleting, "")
		if len(entries(filepath.Join(f.dir, "artifacts", fn.ID))) == 0 {
			f.Error("the artifact was removed while an instance may use it")
		}
		f.instances.remove.set(nil)
		f.after(time.Minute)
		f.wantGone(fn.ID)
	})
}

func TestDeploy_TakesCachedBuilds(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		f.builders.cached.Store(true)
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		f.deploy(fn.ID, "code")
		f.wantFunction(fn.ID, functions.Ready, "")
		if got := f.builders.count("build"); got != 1 {
			f.Errorf("got %d builds, want 1", got)
		}
		if err := f.change(fn.ID, func(fn *functions.Function) {
			fn.Rebuild, fn.FromScratch = true, true
			fn.StartDeployment(time.Now())
		}); err != nil {
			f.Fatal(err)
		}
		f.after(0)
		if got := f.builders.count("build"); got != 2 {
			f.Errorf("got %d builds after one from scratch, want 2", got)
		}
	})
}

func TestDeploy_WaitingForTheNetworkTakesNoBuildSlot(t *testing.T) {
	run(t, func(f *fixture) {
		f.config.BuildSlots = 1
		f.start()
		answered := make(chan struct{})
		f.builders.build.set(func(ctx context.Context, b runtime.Build) error {
			return b.Fetch(ctx, func(ctx context.Context) error {
				select {
				case <-answered:
				case <-ctx.Done():
				}
				return ctx.Err()
			})
		})
		downloading := f.newFunction()
		f.deploy(downloading.ID, "code")
		f.builders.build.set(nil)
		other := f.newFunction()
		f.deploy(other.ID, "code")
		f.wantFunction(other.ID, functions.Ready, "")
		f.wantFunction(downloading.ID, functions.Pending, "")
		close(answered)
		f.after(0)
		f.wantFunction(downloading.ID, functions.Ready, "")
	})
}

func TestRestore_RedeploysWhatCannotBeLaunched(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		good, bad := f.newFunction(), f.newFunction()
		f.deploy(good.ID, "code")
		f.deploy(bad.ID, "code")
		first := f.function(good.ID).Revision.ID
		f.stop()
		failures := 3
		f.engine.apply.set(func(r engine.Revision) error {
			if r.FunctionID == bad.ID && failures > 0 {
				failures--
				return errors.New("toolchain is missing")
			}
			return nil
		})
		f.start()
		f.after(5 * time.Second)
		if got := f.wantFunction(good.ID, functions.Ready, ""); got.Revision.ID != first {
			f.Errorf("got revision %s, want %s", got.Revision.ID, first)
		}
		if f.wantFunction(bad.ID, functions.Ready, ""); f.builders.count("build") != 3 {
			f.Errorf("got %d builds, want a third one for the function that could not be launched", f.builders.count("build"))
		}
	})
}
