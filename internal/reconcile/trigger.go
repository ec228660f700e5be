package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// trigger marks a new trigger as ready if its messages can be consumed, or as failed.
// A ready trigger has a credential ID, which clients wait for; nothing uses the
// credential.
func (r *Reconciler) trigger(ctx context.Context, id string) error {
	credentialID := r.config.NewID()
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Trigger(id)
		if err != nil || t.Status != functions.Creating {
			return err
		}
		if err := r.config.Sources.Check(t); err != nil {
			t.Fail(err.Error())
			return tx.Put(t)
		}
		switch {
		case t.SQS != nil:
			t.SQS.CredentialID = credentialID
		case t.NATS != nil:
			t.NATS.CredentialID = credentialID
		}
		t.MarkReady()
		return tx.Put(t)
	})
}
