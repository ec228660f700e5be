package reconcile

import (
	"context"
	"errors"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Restore makes the serving revisions of all functions that this node owns known to the
// engine, and removes files that are no longer needed. A function whose revision cannot be
// launched is redeployed, while the others serve. Call it once, before Run.
func (r *Reconciler) Restore(ctx context.Context) error {
	var all []functions.Function
	err := r.config.Store.View(ctx, func(tx functions.Tx) (err error) {
		all, _, err = tx.Functions(functions.Filter{}, functions.Page{})
		return err
	})
	if err != nil {
		return fmt.Errorf("list functions: %w", err)
	}
	for _, f := range all {
		if f.Status == functions.Deleting || !r.config.Owners.Owns(f.ID) {
			continue // The deletion, or the owner, removes files.
		}
		if err := errors.Join(r.restoreRevision(ctx, f), r.prune(f.ID)); err != nil {
			return err
		}
	}
	return nil
}

// restoreRevision launches the serving revision of a function, if it has one. If that
// fails, it starts a deployment that builds the revision again.
func (r *Reconciler) restoreRevision(ctx context.Context, f functions.Function) error {
	if f.Revision == nil {
		return nil
	}
	err := r.launch(ctx, f, *f.Revision)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	r.config.Log.Error("a function cannot serve calls and is redeployed", "function_id", f.ID, "error", err)
	return r.redeploy(ctx, f)
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
