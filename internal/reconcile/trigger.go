package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// trigger marks a new trigger as ready if its messages can be consumed, or as failed.
// A ready trigger has a credential ID, which clients wait for; nothing uses the
// credential.
func (r *Reconciler) trigger(ctx context.Context, owned functions.Store, id string) error {
	credentialID := r.config.NewID()
	return owned.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Trigger(id)
		if err != nil {
			return err
		}
		changed := false
		if failure := r.config.Sources.Check(t); failure != nil {
			changed = t.Fail(failure.Error())
		} else {
			changed = t.MarkReady(credentialID)
		}
		if !changed {
			return nil
		}
		return tx.Put(t)
	})
}
