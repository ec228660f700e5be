package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// launches is the number of functions whose revisions are launched concurrently when this
// node becomes their home.
const launches = 8

// Restore launches the serving revisions of all functions of which this node is the home.
// A revision whose files are lost is built again; other failures are retried. Call it once,
// after the first changes were applied.
func (r *Reconciler) Restore(ctx context.Context) error {
	r.homes.homesChanged()
	var working sync.WaitGroup
	for range launches {
		working.Go(func() {
			for ctx.Err() == nil && r.serveNext(ctx) {
			}
		})
	}
	working.Wait()
	return ctx.Err()
}

// serve makes this node have what it must have of each function, until ctx ends.
func (r *Reconciler) serve(ctx context.Context) {
	for ctx.Err() == nil {
		if r.serveNext(ctx) {
			continue
		}
		select {
		case <-r.homes.wake:
		case <-ctx.Done():
		}
	}
}

// serveNext does what must change for one function. It returns false if nothing must.
func (r *Reconciler) serveNext(ctx context.Context) bool {
	functionID, all, ok := r.homes.next()
	if !ok {
		return false
	}
	defer r.homes.done(functionID)
	for _, a := range all {
		switch a.do {
		case retire:
			r.retire(functionID, a.revisionID)
		case remove:
			r.discard(ctx, functionID, a.revisionID)
		case launch:
			r.launchServing(ctx, functionID, a.revisionID)
		}
	}
	if r.homes.deletedElsewhere(functionID) {
		if err := r.config.Logs.Remove(functionID); err != nil {
			r.config.Log.Error("the logs of a deleted function could not be removed", "function_id", functionID, "error", err)
		}
	}
	return true
}

// launchServing launches the serving revision of a function, which the follower has
// applied. If that fails, it is tried again later or, if the files are lost, they are built
// again.
func (r *Reconciler) launchServing(ctx context.Context, functionID, revisionID string) {
	if !r.config.Owners.Owns(functionID) {
		r.homes.waitForLease(functionID)
		return
	}
	f, _, err := r.load(ctx, functionID)
	if functions.IsNotFound(err) || err == nil && (f.Revision == nil || f.Revision.ID != revisionID) {
		r.homes.waitForChange(functionID, revisionID)
		return
	}
	if err == nil {
		err = r.launch(ctx, f, *f.Revision, false)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	failures, retryIn := r.homes.failed(functionID, revisionID, err)
	if failures > 0 && r.isLost(ctx, f, err, failures) {
		r.config.Log.Error("a function cannot serve calls and is redeployed", "function_id", functionID, "error", err)
		err = r.redeploy(ctx, f)
		if err == nil || errors.Is(err, store.ErrNotOwner) {
			return
		}
	}
	r.config.Log.Error("a function cannot serve calls, trying again", "function_id", functionID, "error", err, "retry_in", retryIn)
}

// isLost reports whether a revision must be built again after an error: its files are lost,
// or they are there and cannot be used. It is false if they cannot be read now.
func (r *Reconciler) isLost(ctx context.Context, f functions.Function, err error, failures int) bool {
	if errors.Is(err, blob.ErrNotFound) {
		return true
	}
	if f.Revision == nil || failures < internalRetries {
		return false
	}
	_, unreadable := r.config.Artifacts.Has(ctx, blob.Ref{FunctionID: f.ID, Name: f.Revision.Artifact})
	return unreadable == nil
}

// redeploy starts a deployment that builds the serving code again.
func (r *Reconciler) redeploy(ctx context.Context, f functions.Function) error {
	return r.config.Owners.Owned(f.ID).Update(ctx, func(tx functions.Tx) error {
		f, err := tx.Function(f.ID)
		if err != nil || !f.StartRebuild(r.config.Now()) {
			return err
		}
		return tx.Put(f)
	})
}

// Launched returns when the serving revision of a function accepts calls at this node, or
// the function has none. The function is the next to be launched. Returns store.ErrNotOwner
// if this node is not the home or has no lease, and otherwise why the revision could not be
// launched; that is tried again.
func (r *Reconciler) Launched(ctx context.Context, functionID string) error {
	for {
		if !r.config.Owners.Owns(functionID) {
			return store.ErrNotOwner
		}
		ended, err := r.homes.await(functionID)
		if ended == nil {
			return err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Homes returns the number of functions of which this node is the home.
func (r *Reconciler) Homes() int { return r.homes.count() }

// launch makes a revision known to the engine and admits calls to it. Checking means that
// the revision belongs to a deployment in progress.
func (r *Reconciler) launch(ctx context.Context, f functions.Function, revision functions.Revision, checking bool) error {
	if resumed, err := r.resume(ctx, f.ID, revision.ID); resumed || err != nil {
		return err
	}
	spec, err := r.engineRevision(f, revision)
	if err != nil {
		return fmt.Errorf("revision %s: %w", revision.ID, err)
	}
	if err := r.config.Engine.Apply(ctx, spec); err != nil {
		return err
	}
	r.inUse.hold(f.ID, revision.ID, revision.Artifact)
	r.homes.launched(f, revision, checking)
	return nil
}

// resume makes a revision accept calls again that was retired, because this node is the
// home again. If it is already being removed, resume waits for that and returns false.
func (r *Reconciler) resume(ctx context.Context, functionID, revisionID string) (resumed bool, err error) {
	retired := r.homes.retired(functionID, revisionID)
	if retired == nil {
		return false, nil
	}
	if r.config.Instances.Resume(revisionID) {
		r.homes.resumed(functionID, revisionID)
		return true, nil
	}
	select {
	case <-retired:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// retire removes the previous revision of a function, if it has one, when its calls
// have ended. It removes the files that are no longer needed.
func (r *Reconciler) retire(functionID, previous string) {
	if previous == "" {
		r.removeOldFiles(functionID)
		return
	}
	l, ended := r.homes.retire(functionID, previous, r.config.Instances.Retire)
	if ended == nil {
		return
	}
	r.retiring.Go(func() {
		select {
		case <-ended:
		case <-r.stopped:
			return // The next start removes the files.
		}
		if r.homes.ended(functionID, previous, l) {
			r.inUse.release(functionID, previous)
		}
		r.removeOldFiles(functionID)
	})
}

// pruneAll removes the files of the functions that this node owns that are no longer
// needed, such as those that a server which was killed has left.
func (r *Reconciler) pruneAll(ctx context.Context) {
	for _, id := range r.homes.all() {
		if ctx.Err() != nil {
			return
		}
		r.removeOldFiles(id)
	}
}
