package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/scale"
)

func (r *Reconciler) function(ctx context.Context, k key) error {
	f, n, err := r.load(ctx, k.id)
	if err != nil {
		return err
	}
	switch f.Status {
	case functions.Deleting:
		return r.deleteFunction(ctx, f)
	case functions.Pending:
		r.queue.working(k, f.Generation)
		return r.deploy(ctx, f, n)
	}
	return nil
}

func (r *Reconciler) load(ctx context.Context, id string) (f functions.Function, n functions.Namespace, err error) {
	err = r.Store.View(ctx, func(tx functions.Tx) error {
		if f, err = tx.Function(id); err != nil {
			return err
		}
		n, err = tx.Namespace(f.NamespaceID)
		return err
	})
	return f, n, err
}

// A fault is a deployment that failed for a reason that the function's author
// is told.
type fault struct{ message string }

func (f *fault) Error() string { return f.message }

// errSuperseded ends a deployment when another one has been asked for.
var errSuperseded = errors.New("superseded by a later deployment")

// deploy builds the function's code if need be, proves that the new revision
// starts, and has it take over. Until then the old one serves; if anything
// fails it goes on serving.
func (r *Reconciler) deploy(ctx context.Context, f functions.Function, n functions.Namespace) error {
	ctx, end := r.begin(ctx, Deployment, f)
	revision, err := r.prepare(ctx, f, n)
	if err == nil {
		err = r.takeOver(ctx, f, revision)
	}
	end(resultOf(ctx, err))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errSuperseded) || ctx.Err() != nil:
		return errors.Join(ctx.Err(), r.prune(f.ID))
	}
	message := "internal error"
	if fault, ok := errors.AsType[*fault](err); ok {
		message = fault.message
	}
	r.Log.Warn("deployment failed", "function_id", f.ID, "generation", f.Generation, "error", err)
	err = r.advance(ctx, f, func(f *functions.Function) { f.Fail(message, r.Now()) })
	if errors.Is(err, errSuperseded) {
		err = nil
	}
	return errors.Join(err, r.prune(f.ID))
}

// prepare returns the revision that the function asks for, started: the one
// that serves already, if nothing has changed for it.
func (r *Reconciler) prepare(ctx context.Context, f functions.Function, n functions.Namespace) (functions.Revision, error) {
	if f.Target == "" {
		// The real service gives a function without code no better reason than
		// "internal error", which clients do not look at.
		return functions.Revision{}, &fault{"internal error: no code was uploaded for the function: get an address at upload-url, put the archive there, and deploy"}
	}
	built, err := r.artifact(ctx, f, n.ProjectID)
	if err != nil {
		return functions.Revision{}, err
	}
	defer r.live.release(f.ID, built.artifact)
	revision := r.describe(f, n, built)
	if f.Revision != nil && sameContent(*f.Revision, revision) {
		return *f.Revision, r.prove(ctx, f, *f.Revision)
	}
	revision.ID = r.NewID()
	if err := r.prove(ctx, f, revision); err != nil {
		r.forget(ctx, f.ID, revision.ID)
		return functions.Revision{}, err
	}
	return revision, nil
}

// prove launches a revision and sees that an instance of it starts.
func (r *Reconciler) prove(ctx context.Context, f functions.Function, revision functions.Revision) error {
	if err := r.launch(ctx, f, revision); err != nil {
		return err
	}
	select {
	case r.starting <- struct{}{}:
		defer func() { <-r.starting }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := r.Instances.Warm(ctx, revision.ID)
	if reason, ok := errors.AsType[*scale.StartError](err); ok {
		return &fault{"the function does not start: " + reason.Reason}
	}
	if errors.Is(err, scale.ErrNoMemory) {
		return &fault{"the function was not started: " + err.Error() + ": deploy it again when other functions are idle"}
	}
	if err != nil {
		return fmt.Errorf("start revision %s: %w", revision.ID, err)
	}
	return nil
}

// takeOver has calls go to the revision, and clears away what served before.
func (r *Reconciler) takeOver(ctx context.Context, f functions.Function, revision functions.Revision) error {
	before := f.Revision
	err := r.advance(ctx, f, func(f *functions.Function) { f.MarkReady(revision, r.Now()) })
	if before != nil && before.ID == revision.ID {
		return err
	}
	if err != nil {
		r.forget(ctx, f.ID, revision.ID)
		return err
	}
	if before == nil {
		return r.prune(f.ID)
	}
	retired := r.Instances.Retire(before.ID)
	r.cleaning.Go(func() {
		select {
		case <-retired:
		case <-r.stopped:
			return // the next start removes the files
		}
		r.live.release(f.ID, before.ID)
		if err := r.prune(f.ID); err != nil {
			r.Log.Error("files of an old revision are left over", "function_id", f.ID, "error", err)
		}
	})
	return nil
}

// advance commits a step of the deployment of f, unless another deployment or
// the deletion of the function has come meanwhile: then errSuperseded.
func (r *Reconciler) advance(ctx context.Context, f functions.Function, change func(*functions.Function)) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		current, err := tx.Function(f.ID)
		if err != nil {
			return err
		}
		if current.Generation != f.Generation || current.Status != functions.Pending {
			return errSuperseded
		}
		change(&current)
		current.UpdatedAt = r.Now()
		return tx.Put(current)
	})
}

// prune removes the files of a function that nobody needs any more.
func (r *Reconciler) prune(functionID string) error {
	var needed functions.Function
	err := r.Archives.Prune(context.Background(), functionID, func() ([]string, error) {
		err := r.Store.View(context.Background(), func(tx functions.Tx) (err error) {
			needed, err = tx.Function(functionID)
			return err
		})
		return needed.Archives(), err
	})
	if functions.IsNotFound(err) {
		return nil //nolint:nilerr // its deletion has removed, or will remove, everything
	}
	if err != nil {
		return fmt.Errorf("remove old archives of function %s: %w", functionID, err)
	}
	artifacts := r.live.held(functionID)
	if needed.Revision != nil {
		artifacts = append(artifacts, needed.Revision.Artifact)
	}
	return r.Artifacts.Keep(context.Background(), functionID, artifacts...)
}

// deleteFunction stops a function's instances, of all its revisions, and
// removes its files and then the function itself.
func (r *Reconciler) deleteFunction(ctx context.Context, f functions.Function) error {
	for _, revisionID := range r.live.holders(f.ID) {
		if err := r.Instances.Remove(ctx, revisionID); err != nil {
			return fmt.Errorf("stop function %s: %w", f.ID, err)
		}
		r.live.release(f.ID, revisionID)
	}
	if err := errors.Join(r.Archives.Delete(ctx, f.ID), r.Artifacts.Delete(ctx, f.ID), r.Logs.Remove(f.ID)); err != nil {
		return fmt.Errorf("remove files of function %s: %w", f.ID, err)
	}
	return r.Store.Update(ctx, func(tx functions.Tx) error { return tx.Delete(f) })
}

// forget stops a revision that will not serve. It is done even where the
// deployment was cut short.
func (r *Reconciler) forget(ctx context.Context, functionID, revisionID string) {
	if err := r.Instances.Remove(context.WithoutCancel(ctx), revisionID); err != nil {
		r.Log.Error("a revision that is not needed could not be stopped", "revision_id", revisionID, "error", err)
		return
	}
	r.live.release(functionID, revisionID)
}
