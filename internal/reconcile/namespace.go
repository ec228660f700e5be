package reconcile

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/token"
)

func (r *Reconciler) namespace(ctx context.Context, owned functions.Store, id string) error {
	var n functions.Namespace
	err := owned.View(ctx, func(tx functions.Tx) (err error) {
		n, err = tx.Namespace(id)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case n.Status == functions.Deleting:
		return r.deleteNamespace(ctx, owned, id)
	case n.NeedsKeys():
		return r.provisionKeys(ctx, owned, id)
	case n.Status == functions.Pending:
		return r.redeployFunctions(ctx, owned, id)
	}
	return nil
}

// provisionKeys gives a new namespace its key pair and its registry.
func (r *Reconciler) provisionKeys(ctx context.Context, owned functions.Store, id string) error {
	pair, err := r.config.Keys.Take(ctx)
	if err != nil {
		return fmt.Errorf("provision keys of namespace %s: %w", id, err)
	}
	sealed, registryID := token.SealPrivate(r.config.Sealer, pair), r.config.NewID()
	return owned.Update(ctx, func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil || !n.ProvisionKeys(pair.Public, sealed, registryID, r.config.Now()) {
			return err
		}
		return tx.Put(n)
	})
}

// redeployFunctions starts deployments of all deployed functions of a namespace, so
// that they get its changed variables.
func (r *Reconciler) redeployFunctions(ctx context.Context, owned functions.Store, id string) error {
	return owned.Update(ctx, func(tx functions.Tx) error {
		return functions.RedeployNamespace(tx, id, r.config.Now())
	})
}

// deleteNamespace deletes a namespace without functions. The deletion of its last
// function queues the namespace again.
func (r *Reconciler) deleteNamespace(ctx context.Context, owned functions.Store, id string) error {
	return owned.Update(ctx, func(tx functions.Tx) error {
		return functions.DeleteEmptyNamespace(tx, id)
	})
}
