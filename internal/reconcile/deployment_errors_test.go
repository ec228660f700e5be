package reconcile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/store"
)

// failMarkReady makes the update that ends the next start check return err. With stored
// the update is committed nevertheless.
func (f *fixture) failMarkReady(err error, stored bool) {
	f.instances.warm.set(func(context.Context, string) error {
		if !stored {
			f.store.fail(err)
			return nil
		}
		f.store.outcome.set(func() error { return err })
		return nil
	})
}

func (f *fixture) repair() {
	f.instances.warm.set(nil)
	f.store.fail(nil)
	f.store.outcome.set(nil)
}

func TestDeploy_KeepsRevisionWhenCommitOutcomeIsUnknown(t *testing.T) {
	for name, stored := range map[string]bool{"committed": true, "not committed": false} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fixture) {
				f.start()
				fn := f.newFunction()
				f.deploy(fn.ID, "first")
				first := f.wantFunction(fn.ID, functions.Ready, "").Revision
				f.failMarkReady(store.ErrUnsettled, stored)
				f.deploy(fn.ID, "second")
				if slices.ContainsFunc(f.instances.all, func(call string) bool { return strings.HasPrefix(call, "remove ") }) {
					f.Errorf("got %v while the outcome is unknown, want no revision to be removed", f.instances.all)
				}
				f.repair()
				f.after(2 * time.Minute)
				second := f.wantFunction(fn.ID, functions.Ready, "").Revision
				if second.ID == first.ID || f.instances.count("set "+second.ID) != 1 || f.instances.count("remove "+second.ID) != 0 {
					f.Errorf("got calls %v, want revision %s to serve", f.instances.all, second.ID)
				}
				if !f.instances.end(first.ID) {
					f.Error("the first revision was not retired")
				}
				f.after(0)
				if got := entries(filepath.Join(f.dir, "artifacts", fn.ID)); !slices.Equal(got, []string{second.Artifact}) {
					f.Errorf("got artifacts %v, want %s", got, second.Artifact)
				}
				served := 0
				for _, call := range f.instances.all {
					if id, ok := strings.CutPrefix(call, "set "); ok && f.instances.count("remove "+id) == 0 {
						served++
					}
				}
				if served != 2 { // The first and the second one.
					f.Errorf("got %v, want each revision that does not serve to be removed", f.instances.all)
				}
			})
		})
	}
}

func TestDeploy_RetriesWhileTheStoreIsUnavailable(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		unavailable := &functions.Error{Code: functions.Unavailable, Message: "the disk is full"}
		f.builders.build.set(func(context.Context, runtime.Build) error { return unavailable })
		f.deploy(fn.ID, "code")
		f.after(10 * time.Minute)
		if got := f.function(fn.ID); got.Status != functions.Pending {
			f.Errorf("got %s %q, want pending", got.Status, got.ErrorMessage)
		}
		if got := f.builders.count("build"); got > 20 {
			f.Errorf("got %d builds in 10 minutes, want at most 20", got)
		}
		f.builders.build.set(nil)
		f.after(90 * time.Second)
		f.wantFunction(fn.ID, functions.Ready, "")
	})
}

func TestDeploy_RetriesInternalErrorsBeforeItFails(t *testing.T) {
	for name, test := range map[string]struct {
		failures int
		status   functions.Status
		message  string
	}{
		"temporary": {3, functions.Ready, ""},
		"permanent": {4, functions.Failed, "internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fixture) {
				f.start()
				fn := f.newFunction()
				left := test.failures
				f.engine.apply.set(func(engine.Revision) error {
					if left--; left >= 0 {
						return errors.New("too many open files")
					}
					return nil
				})
				f.deploy(fn.ID, "code")
				if got := f.function(fn.ID); got.Status != functions.Pending {
					f.Errorf("got %s %q after the first failure, want pending", got.Status, got.ErrorMessage)
				}
				f.after(time.Minute)
				f.wantFunction(fn.ID, test.status, test.message)
			})
		})
	}
}

// faultyArtifacts fails to remove old artifacts or workspaces.
type faultyArtifacts struct {
	blob.Artifacts

	keep, workspace bool
}

func (a faultyArtifacts) Keep(ctx context.Context, functionID string, needed func() ([]string, error)) error {
	if a.keep {
		return errors.New("input/output error")
	}
	return a.Artifacts.Keep(ctx, functionID, needed)
}

// Workspace returns a path that is usable but cannot be removed.
func (a faultyArtifacts) Workspace(ctx context.Context) (string, error) {
	dir, err := a.Artifacts.Workspace(ctx)
	if a.workspace {
		dir += "/."
	}
	return dir, err
}

func TestDeploy_SucceedsIfOldFilesCannotBeRemoved(t *testing.T) {
	for name, faulty := range map[string]faultyArtifacts{"artifacts": {keep: true}, "workspace": {workspace: true}} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fixture) {
				f.builders.cached.Store(true)
				faulty.Artifacts = f.config.Artifacts
				f.config.Artifacts = faulty
				f.start()
				fn := f.newFunction()
				for range 2 { // The second deployment uses the cached build.
					f.deploy(fn.ID, "code")
					f.wantFunction(fn.ID, functions.Ready, "")
				}
				log := f.log.String()
				if strings.Contains(log, "deployment failed") || strings.Contains(log, "will be retried") || !strings.Contains(log, "could not be removed") {
					f.Errorf("got log %s, want only that files could not be removed", log)
				}
			})
		})
	}
}

func TestBuild_ErrorShowsLimitOfTheCache(t *testing.T) {
	run(t, func(f *fixture) {
		f.config.CacheLimit, f.config.BuildDisk = 2<<20, 1<<20
		f.start()
		f.builders.build.set(func(_ context.Context, b runtime.Build) error {
			return os.WriteFile(filepath.Join(b.Cache, "large"), make([]byte, 4<<20), 0o600)
		})
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		f.after(time.Minute)
		const want = "the cache of the project has more than 3 MiB"
		if got := f.function(fn.ID); got.Status != functions.Failed || !strings.Contains(got.ErrorMessage, want) {
			f.Errorf("got %s %q, want failed with %q", got.Status, got.ErrorMessage, want)
		}
	})
}

// Another node removed the artifact before the revision was committed: the function is
// built again, and the revision whose code is going to be deleted never serves.
func TestDeploy_BuildsAgainAfterItsArtifactIsCondemned(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.failMarkReady(functions.ErrCondemned, false)
		f.deploy(fn.ID, "code")
		f.repair()
		f.after(2 * time.Minute)
		serving := f.wantFunction(fn.ID, functions.Ready, "").Revision
		if f.instances.count("remove "+serving.ID) != 0 {
			f.Errorf("got %v, want the revision %s to serve", f.instances.all, serving.ID)
		}
		removed := slices.ContainsFunc(f.instances.all, func(call string) bool { return strings.HasPrefix(call, "remove ") })
		if !removed {
			f.Errorf("got %v, want the first revision to be removed", f.instances.all)
		}
		if got := entries(filepath.Join(f.dir, "artifacts", fn.ID)); !slices.Equal(got, []string{serving.Artifact}) {
			f.Errorf("got artifacts %v, want %s", got, serving.Artifact)
		}
	})
}
