package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// token marks a new token as ready. It needs no work: clients expect the status.
func (r *Reconciler) token(ctx context.Context, owned functions.Store, id string) error {
	return owned.Update(ctx, func(tx functions.Tx) error {
		t, err := tx.Token(id)
		if err != nil || !t.MarkReady() {
			return err
		}
		return tx.Put(t)
	})
}
