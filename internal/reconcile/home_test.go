package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// deployedElsewhere puts a function that another node, its home, has deployed.
func (f *fixture) deployedElsewhere() functions.Function {
	f.Helper()
	fn := f.newFunction()
	f.owners.give(fn.ID)
	fn.Status, fn.MaxScale = functions.Ready, 3
	fn.Revision = &functions.Revision{ID: uuid.NewString(), Artifact: uuid.NewString(), MemoryLimit: 256}
	f.put(fn)
	synctest.Wait()
	return fn
}

// move makes this node the home of a function, or another one.
func (f *fixture) move(fn functions.Function, here bool) {
	f.Helper()
	if here {
		f.owners.take(fn.ID)
	} else {
		f.owners.give(fn.ID)
	}
	f.changeOwners()
}

// departure is how long a node that is not the home any more accepts calls.
const departure = 5 * time.Second

func (f *fixture) wantOnce(call string) {
	f.Helper()
	if got := f.instances.count(call); got != 1 {
		f.Errorf("got %d calls %q, want one: %v", got, call, f.instances.all)
	}
}

func TestHome_LaunchesFunctionThatMovesHere(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.deployedElsewhere()
		if f.engine.count(fn.ID) != 0 {
			f.Error("a node that is not the home launched the revision")
		}
		if err := f.running.Launched(context.Background(), fn.ID); !errors.Is(err, store.ErrNotOwner) {
			f.Errorf("Launched() = %v at a node that is not the home, want ErrNotOwner", err)
		}
		f.move(fn, true)
		f.wantOnce("limits " + fn.Revision.ID + " 0-3")
		if err := f.running.Launched(context.Background(), fn.ID); err != nil || f.engine.count(fn.ID) != 1 {
			f.Errorf("Launched() = %v after %d launches, want nil after one", err, f.engine.count(fn.ID))
		}
		// Another node changes the limits, and then the code.
		fn.MinScale = 2
		f.put(fn)
		f.wantOnce("limits " + fn.Revision.ID + " 2-3")
		old := fn.Revision.ID
		fn.Revision = &functions.Revision{ID: uuid.NewString(), Artifact: uuid.NewString(), MemoryLimit: 256}
		f.put(fn)
		synctest.Wait()
		f.wantOnce("limits " + fn.Revision.ID + " 2-3")
		if !f.instances.end(old) {
			f.Error("the revision that another node has replaced was not retired")
		}
		f.wantNoErrors()
	})
}

func TestHome_DrainsFunctionThatMovesAway(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		revision := f.wantFunction(fn.ID, functions.Ready, "").Revision.ID
		f.move(fn, false)
		if f.instances.isRetired(revision) {
			f.Error("the revision was retired at once: calls that send their bodies are lost")
		}
		f.after(departure)
		if !f.instances.isRetired(revision) || f.instances.count("remove "+revision) != 0 {
			f.Fatal("the revision was not retired, or its calls were ended")
		}
		// It comes back before its calls have ended.
		f.move(fn, true)
		f.wantOnce("resume " + revision)
		if n := f.engine.count(fn.ID); n != 1 {
			f.Errorf("got %d launches, want the first one only", n)
		}
		f.move(fn, false)
		f.after(departure)
		f.instances.end(revision)
		synctest.Wait()
		f.move(fn, true)
		if n := f.engine.count(fn.ID); n != 2 {
			f.Errorf("got %d launches after the revision had ended, want a second one", n)
		}
		f.wantNoErrors()
	})
}

func TestHome_RemovesWhatAnotherNodeDeletes(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		fn = f.wantFunction(fn.ID, functions.Ready, "")
		f.move(fn, false)
		fn.Status = functions.Deleting
		f.put(fn)
		synctest.Wait()
		f.wantOnce("remove " + fn.Revision.ID)
		f.update(func(tx store.Tx) error { return tx.Delete(fn) })
		synctest.Wait()
		if n := f.logs.count("remove"); n != 1 {
			f.Errorf("got %d removals of logs, want one: the logs of each node are its own", n)
		}
		if n := f.running.Homes(); n != 0 {
			f.Errorf("got %d functions after the deletion, want none", n)
		}
	})
}

func TestHome_LaunchesNothingWithoutLease(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.deployedElsewhere()
		f.owners.setUnleased(true)
		f.move(fn, true)
		f.after(time.Minute)
		if n := f.engine.count(fn.ID); n != 0 {
			f.Errorf("got %d launches without a lease", n)
		}
		if err := f.running.Launched(context.Background(), fn.ID); !errors.Is(err, store.ErrNotOwner) {
			f.Errorf("Launched() = %v without a lease, want ErrNotOwner", err)
		}
		f.owners.setUnleased(false)
		f.after(time.Second)
		if n := f.engine.count(fn.ID); n != 1 {
			f.Errorf("got %d launches after the lease was renewed, want one", n)
		}
	})
}

// A function for which a call waits is launched before the others, and a bounded number at
// a time.
func TestHome_LaunchesFunctionsWithWaitingCallsFirst(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		all := map[string]functions.Function{}
		last := ""
		for range 40 {
			fn := f.deployedElsewhere()
			all[fn.ID] = fn
		}
		f.engine.apply.set(func(engine.Revision) error { <-time.After(time.Second); return nil })
		for id := range all {
			f.owners.take(id)
		}
		f.changeOwners()
		f.after(500 * time.Millisecond)
		started := 0
		for id := range all {
			if f.engine.count(id) == 0 {
				last = id // Any one that waits.
			} else {
				started++
			}
		}
		if started != 8 {
			f.Errorf("got %d launches at the same time, want 8", started)
		}
		began := time.Now()
		if err := f.running.Launched(context.Background(), last); err != nil || time.Since(began) > 1500*time.Millisecond {
			f.Errorf("Launched() = %v after %v, want nil with the next launches", err, time.Since(began))
		}
		f.after(time.Minute)
		for id := range all {
			if f.engine.count(id) != 1 {
				f.Errorf("got %d launches of %s, want one", f.engine.count(id), id)
			}
		}
	})
}

func TestHome_LaunchThatFails(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.deployedElsewhere()
		// The store of artifacts cannot be reached for 10 minutes.
		f.config.Artifacts = unreachable{f.config.Artifacts}
		f.start()
		f.engine.apply.set(func(engine.Revision) error { return errDisk })
		f.move(fn, true)
		if err := f.running.Launched(context.Background(), fn.ID); !errors.Is(err, errDisk) {
			f.Errorf("Launched() = %v, want the error of the launch", err)
		}
		f.after(10 * time.Minute)
		if n := f.engine.count(fn.ID); n < 5 || n > 20 {
			f.Errorf("got %d launches in 10 minutes, want some with growing pauses", n)
		}
		f.wantFunction(fn.ID, functions.Ready, "")
		f.engine.apply.set(nil)
		f.after(time.Minute)
		if err := f.running.Launched(context.Background(), fn.ID); err != nil {
			f.Errorf("Launched() = %v when the store can be reached again", err)
		}
		if log := f.log.String(); !strings.Contains(log, "disk is full") || strings.Contains(log, "is redeployed") {
			f.Errorf("got log %s, want the error and no deployment", log)
		}
	})
}

func TestHome_BuildsLostFilesAgain(t *testing.T) {
	run(t, func(f *fixture) {
		f.start()
		fn := f.newFunction()
		f.deploy(fn.ID, "code")
		first := f.wantFunction(fn.ID, functions.Ready, "").Revision.ID
		f.move(fn, false)
		f.after(departure)
		f.instances.end(first)
		lost := true
		f.engine.apply.set(func(engine.Revision) error {
			if lost {
				lost = false
				return fmt.Errorf("apply: %w", blob.ErrNotFound)
			}
			return nil
		})
		f.after(0)
		f.move(fn, true)
		if second := f.wantFunction(fn.ID, functions.Ready, "").Revision.ID; second == first || f.builders.count("build") != 2 {
			f.Errorf("got revision %s after %d builds, want a new one", second, f.builders.count("build"))
		}
	})
}

// unreachable is a store of artifacts that does not answer whether it has one.
type unreachable struct{ blob.Artifacts }

func (unreachable) Has(context.Context, blob.Ref) (bool, error) { return false, errDisk }

// countedStore calls read before each read.
type countedStore struct {
	functions.Store

	read func()
}

// View implements functions.Store.
func (s countedStore) View(ctx context.Context, read func(functions.Tx) error) error {
	s.read()
	return s.Store.View(ctx, read)
}

// The database has a newer revision than the node has applied: a call waits for the change
// and does not read the database again and again.
func TestHome_CallWaitsForAChangeThatIsNotApplied(t *testing.T) {
	run(t, func(f *fixture) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		reads := 0
		f.config.Store = countedStore{f.store, func() {
			if reads++; reads > 20 {
				cancel()
			}
		}}
		f.start()
		fn := f.deployedElsewhere()
		f.owners.take(fn.ID)
		older := fn
		older.Revision = &functions.Revision{ID: uuid.NewString(), Artifact: uuid.NewString(), MemoryLimit: 256}
		f.running.Apply(store.Change{Number: 1, Object: older})
		launched := make(chan error, 1)
		go func() { launched <- f.running.Launched(ctx, fn.ID) }()
		synctest.Wait()
		if reads > 20 {
			f.Errorf("the database was read %d times", reads)
		}
		select {
		case err := <-launched:
			f.Fatalf("Launched() = %v before the change was applied", err)
		default:
		}
		f.running.Apply(store.Change{Number: 2, Object: fn})
		synctest.Wait()
		if err := <-launched; err != nil || f.engine.count(fn.ID) != 1 {
			f.Errorf("Launched() = %v after %d launches, want nil after one", err, f.engine.count(fn.ID))
		}
	})
}
