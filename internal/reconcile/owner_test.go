package reconcile_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// changeOwners lets the reconciler notice a change of owners.
func (f *fixture) changeOwners() {
	f.Helper()
	f.running.OwnersChanged()
	synctest.Wait()
}

func (f *fixture) wantNoErrors() {
	f.Helper()
	if log := f.log.String(); strings.Contains(log, "level=ERROR") {
		f.Errorf("got errors in the log: %s", log)
	}
}

func TestOwner_WorksOnWhatItOwnsOnly(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		cron := functions.Cron{ID: uuid.NewString(), ProjectID: project.ID, FunctionID: fn.ID, Status: functions.Pending}
		own := f.newFunction()
		ownCron := functions.Cron{ID: uuid.NewString(), ProjectID: project.ID, FunctionID: own.ID, Status: functions.Pending}
		// A cron belongs to the owner of its function.
		f.owners.give(fn.ID)
		f.owners.give(ownCron.ID)
		f.start()
		f.put(cron)
		f.put(ownCron)
		f.deploy(fn.ID, "other")
		f.deploy(own.ID, "own")
		f.after(time.Minute)
		f.wantFunction(own.ID, functions.Ready, "")
		f.wantFunction(fn.ID, functions.Pending, "")
		theirs, _ := get(f, cron.ID, functions.Tx.Cron)
		ours, _ := get(f, ownCron.ID, functions.Tx.Cron)
		if theirs.Status != functions.Pending || ours.Status != functions.Ready || f.builders.count("build") != 1 {
			f.Errorf("got crons %s and %s and %d builds, want work on the own function only", theirs.Status, ours.Status, f.builders.count("build"))
		}
		// The other node fails: this one takes up its work.
		f.owners.take(fn.ID)
		f.changeOwners()
		f.wantFunction(fn.ID, functions.Ready, "")
		if theirs, _ = get(f, cron.ID, functions.Tx.Cron); theirs.Status != functions.Ready {
			f.Errorf("got cron %s after this node became its owner, want ready", theirs.Status)
		}
		f.wantNoErrors()
	})
}

func TestOwner_CancelsWorkThatAnotherNodeOwns(t *testing.T) {
	for name, notice := range map[string]func(*fixture){
		"members changed": func(f *fixture) { f.changeOwners() },
		// A lease that ends is no change of the members.
		"lease ended": func(f *fixture) { f.after(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(f *fixture) {
				fn := f.newFunction()
				canceled := false
				f.builders.build.set(func(ctx context.Context, _ runtime.Build) error {
					<-ctx.Done()
					canceled = true
					return ctx.Err()
				})
				f.start()
				f.deploy(fn.ID, "code")
				f.owners.give(fn.ID)
				notice(f)
				if !canceled {
					f.Fatal("the build continues")
				}
				f.builders.build.set(nil)
				f.after(time.Minute)
				f.wantFunction(fn.ID, functions.Pending, "")
				f.owners.take(fn.ID)
				f.after(time.Second)
				f.wantFunction(fn.ID, functions.Ready, "")
				f.wantNoErrors()
			})
		})
	}
}

// The database says that another node owns a function, and this node has not applied that
// change yet.
func TestOwner_ChangesNothingWhenTheStoreNamesAnotherOwner(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		f.start()
		f.owners.set(f.owners.behind, fn.ID, true)
		f.deploy(fn.ID, "code")
		f.after(10 * time.Second)
		f.wantFunction(fn.ID, functions.Pending, "")
		if n := f.builders.count("build"); n != 0 {
			f.Errorf("got %d builds, want none: the first step is refused", n)
		}
		f.owners.set(f.owners.behind, fn.ID, false)
		f.after(time.Second)
		f.wantFunction(fn.ID, functions.Ready, "")
		f.wantNoErrors()
	})
}

// A revision whose commit is refused must not stay.
func TestOwner_DiscardsRevisionThatItMayNotActivate(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		f.start()
		revision := ""
		f.instances.warm.set(func(_ context.Context, id string) error {
			revision = id
			f.owners.set(f.owners.behind, fn.ID, true)
			return nil
		})
		f.deploy(fn.ID, "code")
		f.wantFunction(fn.ID, functions.Pending, "")
		if revision == "" || f.instances.count("remove "+revision) != 1 {
			f.Errorf("revision %q was not removed", revision)
		}
		f.wantNoErrors()
	})
}

// Another node may have done part of the work before it failed: what is pending and was
// not changed since is worked on again.
func TestOwner_TakesUpDeletionThatWaitedElsewhere(t *testing.T) {
	run(t, func(f *fixture) {
		fn := f.newFunction()
		n, _ := get(f, fn.NamespaceID, functions.Tx.Namespace)
		f.start()
		n.Status = functions.Deleting
		f.put(n)
		f.after(time.Second) // It waits for its function.
		f.owners.give(n.ID)
		f.changeOwners()
		fn.Status = functions.Deleting
		f.put(fn)
		f.after(time.Minute)
		if _, exists := get(f, n.ID, functions.Tx.Namespace); !exists {
			f.Error("the namespace was deleted by a node that does not own it")
		}
		f.owners.take(n.ID)
		f.changeOwners()
		if _, exists := get(f, n.ID, functions.Tx.Namespace); exists {
			f.Error("the namespace was not deleted by its new owner")
		}
	})
}

func TestOwner_DropsKeysOfOthersThatNeedNoWork(t *testing.T) {
	run(t, func(f *fixture) {
		token := functions.Token{ID: uuid.NewString(), ProjectID: project.ID, NamespaceID: f.newNamespace().ID, Status: functions.Creating}
		f.owners.give(token.ID)
		f.start()
		f.put(token)
		synctest.Wait()
		if n := reconcile.Parked(f.running); n != 1 {
			f.Errorf("got %d parked keys, want the token", n)
		}
		token.Status = functions.Ready
		f.put(token)
		synctest.Wait()
		if n := reconcile.Parked(f.running); n != 0 {
			f.Errorf("got %d parked keys after the other node has done the work, want none", n)
		}
	})
}
