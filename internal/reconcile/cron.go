package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// cron marks a new or changed cron as ready. Package schedule follows that change.
func (r *Reconciler) cron(ctx context.Context, owned functions.Store, id string) error {
	return owned.Update(ctx, func(tx functions.Tx) error {
		c, err := tx.Cron(id)
		if err != nil || !c.MarkReady() {
			return err
		}
		return tx.Put(c)
	})
}
