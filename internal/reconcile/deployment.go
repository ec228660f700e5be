package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

// A deploymentError is the failure of a deployment for a reason that the function's
// author can correct. The message becomes the error message of the function.
type deploymentError struct{ message string }

func (e *deploymentError) Error() string { return e.message }

// internalRetries is how often a deployment is retried after errors that are neither
// the author's nor known to be temporary. With the delays of the queue that is 7 s:
// enough for a machine that lacks file descriptors or memory for a moment.
const internalRetries = 3

// deploy builds the function's code if necessary, checks that the new revision
// starts, and makes it the serving one. The previous revision serves until then, and
// continues to serve if any step fails. An error that the author cannot correct is
// returned, so that the queue retries the deployment: always if it has the code
// functions.Unavailable, and otherwise up to internalRetries times.
func (r *Reconciler) deploy(ctx context.Context, f functions.Function, n functions.Namespace) error {
	generation := f.Generation
	ctx, end := r.begin(ctx, Deployment, f)
	revision, err := r.prepare(ctx, f, n)
	if err == nil {
		err = r.activate(ctx, f, revision)
	}
	end(resultOf(ctx, err))
	if err == nil {
		return nil
	}
	defer r.removeOldFiles(f.ID)
	switch {
	case errors.Is(err, store.ErrNotOwner):
		return err
	case errors.Is(err, functions.ErrSuperseded), ctx.Err() != nil:
		return ctx.Err()
	}
	message := "internal error"
	if failure, ok := errors.AsType[*deploymentError](err); ok {
		message = failure.message
	} else if functions.CodeOf(err) == functions.Unavailable || r.queue.failures(key{functionKind, f.ID}) < internalRetries {
		return fmt.Errorf("deploy function %s: %w", f.ID, err)
	}
	r.config.Log.Warn("deployment failed", "function_id", f.ID, "generation", f.Generation, "error", err)
	err = r.updateDeployment(ctx, f, func(_ functions.Tx, f *functions.Function) error { return f.Fail(generation, message, r.config.Now()) })
	if errors.Is(err, functions.ErrSuperseded) {
		return nil
	}
	return err
}

// prepare returns the revision that the deployment asks for, after its start check.
// If nothing has changed, that is the serving revision.
func (r *Reconciler) prepare(ctx context.Context, f functions.Function, n functions.Namespace) (functions.Revision, error) {
	if f.Target == "" {
		// The real service says "internal error". Clients do not evaluate the text.
		return functions.Revision{}, &deploymentError{"internal error: no code was uploaded for the function: request an upload URL (GET .../upload-url), PUT the archive to it, and deploy"}
	}
	if missing := f.MissingSecrets(n); missing != "" {
		return functions.Revision{}, &deploymentError{missing}
	}
	built, err := r.artifact(ctx, f, n.ProjectID)
	if err != nil {
		return functions.Revision{}, err
	}
	defer r.inUse.release(f.ID, built.artifact)
	revision := r.describe(f, n, built)
	if f.Revision != nil && sameContent(*f.Revision, revision) {
		return *f.Revision, r.startCheck(ctx, f, *f.Revision)
	}
	revision.ID = r.config.NewID()
	if err := r.startCheck(ctx, f, revision); err != nil {
		r.discard(ctx, f.ID, revision.ID)
		return functions.Revision{}, err
	}
	return revision, nil
}

// startCheck launches a revision and waits until one instance of it is ready.
func (r *Reconciler) startCheck(ctx context.Context, f functions.Function, revision functions.Revision) error {
	if !r.config.Owners.Owns(f.ID) {
		return store.ErrNotOwner
	}
	if err := r.launch(ctx, f, revision, true); err != nil {
		return err
	}
	select {
	case r.starts <- struct{}{}:
		defer func() { <-r.starts }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := r.config.Instances.Warm(ctx, revision.ID)
	if reason, ok := errors.AsType[*scale.StartError](err); ok {
		return &deploymentError{"the function does not start: " + reason.Reason}
	}
	if errors.Is(err, scale.ErrNoMemory) {
		return &deploymentError{"the function was not started: " + err.Error() + ": deploy it again when other functions are idle"}
	}
	if err != nil {
		return fmt.Errorf("start revision %s: %w", revision.ID, err)
	}
	return nil
}

// A replacement is the change of the serving revision that a commit makes.
type replacement struct{ previous, next string }

// activate makes the revision the serving one, and removes the previous revision when
// its calls have ended.
func (r *Reconciler) activate(ctx context.Context, f functions.Function, revision functions.Revision) error {
	generation, change := f.Generation, replacement{next: revision.ID}
	if f.Revision != nil {
		change.previous = f.Revision.ID
	}
	artifact := blob.Ref{FunctionID: f.ID, Name: revision.Artifact}.Key()
	err := r.updateDeployment(ctx, f, func(tx functions.Tx, f *functions.Function) error {
		if err := f.MarkReady(generation, revision, r.config.Now()); err != nil {
			return err
		}
		return tx.Usable(artifact)
	})
	switch {
	case change.previous == change.next:
	case err == nil:
		r.retire(f.ID, change.previous)
	case isRefused(err), functions.IsNotFound(err):
		r.discard(ctx, f.ID, change.next)
	default:
		// The revision may serve: settle finds out before the next step.
		r.undecided.Store(f.ID, change)
	}
	return err
}

// isRefused reports whether a step of a deployment was certainly not committed.
func isRefused(err error) bool {
	return errors.Is(err, functions.ErrSuperseded) || errors.Is(err, functions.ErrCondemned) || errors.Is(err, store.ErrNotOwner)
}

// settle stops the revision that does not serve after a replacement whose commit had
// an unknown outcome.
func (r *Reconciler) settle(ctx context.Context, functionID string) error {
	undecided, _ := r.undecided.Load(functionID)
	change, ok := undecided.(replacement)
	if !ok {
		return nil
	}
	var f functions.Function
	// Only an update fails while the outcome of a commit is unknown.
	err := r.config.Owners.Owned(functionID).Update(ctx, func(tx functions.Tx) (err error) {
		f, err = tx.Function(functionID)
		return err
	})
	if errors.Is(err, store.ErrNotOwner) {
		// This node serves no calls of the function.
		r.undecided.Delete(functionID)
	}
	if err != nil && !functions.IsNotFound(err) {
		return fmt.Errorf("look up the revision of function %s: %w", functionID, err)
	}
	r.undecided.Delete(functionID)
	if f.Revision != nil && f.Revision.ID == change.next {
		r.retire(functionID, change.previous)
	} else {
		r.discard(ctx, functionID, change.next)
	}
	return nil
}

// removeOldFiles calls prune and logs its error. The next deployment or start of the
// server removes the files, so the deployment does not fail.
func (r *Reconciler) removeOldFiles(functionID string) {
	if err := r.prune(functionID); err != nil {
		r.config.Log.Error("old files of a function could not be removed", "function_id", functionID, "error", err)
	}
}

// updateDeployment commits a step of the deployment of a function.
func (r *Reconciler) updateDeployment(ctx context.Context, f functions.Function, step func(functions.Tx, *functions.Function) error) error {
	return r.config.Owners.Owned(f.ID).Update(ctx, func(tx functions.Tx) error {
		current, err := tx.Function(f.ID)
		if err != nil {
			return err
		}
		if err := step(tx, &current); err != nil {
			return err
		}
		return tx.Put(current)
	})
}

// discard stops a revision that will not serve, also if the deployment was canceled.
func (r *Reconciler) discard(ctx context.Context, functionID, revisionID string) {
	defer r.homes.removed(functionID, revisionID)
	if err := r.config.Instances.Remove(context.WithoutCancel(ctx), revisionID); err != nil {
		r.config.Log.Error("a revision that is not needed could not be stopped", "revision_id", revisionID, "error", err)
		return
	}
	r.inUse.release(functionID, revisionID)
}
