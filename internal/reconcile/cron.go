package reconcile

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
)

// cron marks a new or changed cron as ready. Package schedule follows that change.
func (r *Reconciler) cron(ctx context.Context, id string) error {
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		c, err := tx.Cron(id)
		if err != nil || !c.MarkReady() {
			return err
		}
		return tx.Put(c)
	})
}
