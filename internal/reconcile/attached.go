package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// token makes a new token ready: nothing is left to do for it, the state is
// there because clients know it.
func (r *Reconciler) token(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Token(id)
		if err != nil || t.Status != functions.Creating {
			return err
		}
		t.Status = functions.Ready
		return tx.Put(t)
	})
}

// cron makes a new or changed cron ready; whoever calls by schedules follows the
// changes.
func (r *Reconciler) cron(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		c, err := tx.Cron(id)
		if err != nil || c.Status != functions.Pending {
			return err
		}
		c.Status = functions.Ready
		return tx.Put(c)
	})
}

// trigger makes a new trigger ready, if there is somebody from whom to have its
// messages. The credential's ID is what clients wait to see; no service of ours
// gives credentials out under it.
func (r *Reconciler) trigger(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Trigger(id)
		if err != nil || t.Status != functions.Creating {
			return err
		}
		if err := r.Sources.Check(t); err != nil {
			t.Fail(err.Error())
			return tx.Put(t)
		}
		switch {
		case t.SQS != nil:
			t.SQS.CredentialID = r.NewID()
		case t.NATS != nil:
			t.NATS.CredentialID = r.NewID()
		}
		t.MarkReady()
		return tx.Put(t)
	})
}
