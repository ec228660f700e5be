package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

// A deploymentError is the failure of a deployment for a reason that the function's
// author can correct. The message becomes the error message of the function.
type deploymentError struct{ message string }

func (e *deploymentError) Error() string { return e.message }

// deploy builds the function's code if necessary, checks that the new revision
// starts, and makes it the serving one. The previous revision serves until then, and
// continues to serve if any step fails.
func (r *Reconciler) deploy(ctx context.Context, f functions.Function, n functions.Namespace) error {
	generation := f.Generation
	ctx, end := r.begin(ctx, Deployment, f)
	revision, err := r.prepare(ctx, f, n)
	if err == nil {
		err = r.activate(ctx, f, revision)
	}
	end(resultOf(ctx, err))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, functions.ErrSuperseded) || ctx.Err() != nil:
		return errors.Join(ctx.Err(), r.prune(f.ID))
	}
	message := "internal error"
	if failure, ok := errors.AsType[*deploymentError](err); ok {
		message = failure.message
	}
	r.config.Log.Warn("deployment failed", "function_id", f.ID, "generation", f.Generation, "error", err)
	err = r.updateDeployment(ctx, f, func(f *functions.Function) error { return f.Fail(generation, message, r.config.Now()) })
	if errors.Is(err, functions.ErrSuperseded) {
		err = nil
	}
	return errors.Join(err, r.prune(f.ID))
}

// prepare returns the revision that the deployment asks for, after its start check.
// If nothing has changed, that is the serving revision.
func (r *Reconciler) prepare(ctx context.Context, f functions.Function, n functions.Namespace) (functions.Revision, error) {
	if f.Target == "" {
		// The real service says "internal error". Clients do not evaluate the text.
		return functions.Revision{}, &deploymentError{"internal error: no code was uploaded for the function: get an address at upload-url, put the archive there, and deploy"}
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
	if err := r.launch(ctx, f, revision); err != nil {
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

// activate makes the revision the serving one, and removes the previous revision when
// its calls have ended.
func (r *Reconciler) activate(ctx context.Context, f functions.Function, revision functions.Revision) error {
	previous, generation := f.Revision, f.Generation
	err := r.updateDeployment(ctx, f, func(f *functions.Function) error { return f.MarkReady(generation, revision, r.config.Now()) })
	if previous != nil && previous.ID == revision.ID {
		return err
	}
	if err != nil {
		r.discard(ctx, f.ID, revision.ID)
		return err
	}
	if previous == nil {
		return r.prune(f.ID)
	}
	retired := r.config.Instances.Retire(previous.ID)
	r.retiring.Go(func() {
		select {
		case <-retired:
		case <-r.stopped:
			return // Restore removes the files at the next start.
		}
		r.inUse.release(f.ID, previous.ID)
		if err := r.prune(f.ID); err != nil {
			r.config.Log.Error("files of an old revision could not be removed", "function_id", f.ID, "error", err)
		}
	})
	return nil
}

// updateDeployment commits a step of the deployment of a function.
func (r *Reconciler) updateDeployment(ctx context.Context, f functions.Function, step func(*functions.Function) error) error {
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		current, err := tx.Function(f.ID)
		if err != nil {
			return err
		}
		if err := step(&current); err != nil {
			return err
		}
		return tx.Put(current)
	})
}

// discard stops a revision that will not serve, also if the deployment was canceled.
func (r *Reconciler) discard(ctx context.Context, functionID, revisionID string) {
	if err := r.config.Instances.Remove(context.WithoutCancel(ctx), revisionID); err != nil {
		r.config.Log.Error("a revision that is not needed could not be stopped", "revision_id", revisionID, "error", err)
		return
	}
	r.inUse.release(functionID, revisionID)
}
