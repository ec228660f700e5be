package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// keysInterval is the time after which a deployment looks again for the keys of its
// namespace.
const keysInterval = 200 * time.Millisecond

func (r *Reconciler) function(ctx context.Context, k key) error {
	if err := r.settle(ctx, k.id); err != nil {
		return err
	}
	f, n, err := r.load(ctx, k.id)
	if err != nil {
		return err
	}
	switch f.Status {
	case functions.Deleting:
		return r.deleteFunction(ctx, f)
	case functions.Pending:
		if f.Origin != nil && n.NeedsKeys() {
			// An imported function may be deployed before its namespace has keys.
			r.queue.addAfter(k, keysInterval)
			return nil
		}
		r.queue.setGeneration(k, f.Generation)
		return r.deploy(ctx, f, n)
	}
	return nil
}

func (r *Reconciler) load(ctx context.Context, id string) (f functions.Function, n functions.Namespace, err error) {
	err = r.config.Store.View(ctx, func(tx functions.Tx) error {
		if f, err = tx.Function(id); err != nil {
			return err
		}
		n, err = tx.Namespace(f.NamespaceID)
		return err
	})
	return f, n, err
}

// deleteFunction stops the instances of all revisions of a function, removes its
// files, and then deletes the function.
func (r *Reconciler) deleteFunction(ctx context.Context, f functions.Function) error {
	for _, revisionID := range r.inUse.holders(f.ID) {
		if err := r.config.Instances.Remove(ctx, revisionID); err != nil {
			return fmt.Errorf("stop function %s: %w", f.ID, err)
		}
		r.homes.removed(f.ID, revisionID)
		r.inUse.release(f.ID, revisionID)
	}
	if err := errors.Join(r.config.Archives.Delete(ctx, f.ID), r.config.Artifacts.Delete(ctx, f.ID), r.config.Logs.Remove(f.ID)); err != nil {
		return fmt.Errorf("remove files of function %s: %w", f.ID, err)
	}
	return r.config.Owners.Owned(f.ID).Update(ctx, func(tx functions.Tx) error { return functions.RemoveFunction(tx, f.ID) })
}

// prune removes the archives and artifacts of a function that are no longer needed, if
// this node owns the function. It does not end with the work on the function, so it needs no context.
func (r *Reconciler) prune(functionID string) error {
	if !r.config.Owners.Owns(functionID) {
		return nil // The owner may be storing an artifact.
	}
	ctx := context.Background()
	var f functions.Function
	err := r.config.Archives.Prune(ctx, functionID, func() ([]string, error) {
		err := r.config.Store.View(ctx, func(tx functions.Tx) (err error) {
			f, err = tx.Function(functionID)
			return err
		})
		return f.Archives(), err
	})
	if functions.IsNotFound(err) {
		return nil //nolint:nilerr // The deletion of the function removes all of its files.
	}
	if err != nil {
		return fmt.Errorf("remove old archives of function %s: %w", functionID, err)
	}
	err = r.config.Artifacts.Keep(ctx, functionID, func() ([]string, error) {
		// A deployment holds its artifact before it stores it, so this list has every
		// stored artifact of deployments in progress.
		needed := r.inUse.artifacts(functionID)
		if f.Revision != nil {
			needed = append(needed, f.Revision.Artifact)
		}
		return needed, nil
	})
	if err != nil {
		return fmt.Errorf("remove old artifacts of function %s: %w", functionID, err)
	}
	return nil
}
