package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// token marks a new token as ready. It needs no work: clients expect the status.
func (r *Reconciler) token(ctx context.Context, id string) error {
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Token(id)
		if err != nil || !t.MarkReady() {
			return err
		}
		return tx.Put(t)
	})
}
