package reconcile

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/token"
)

func (r *Reconciler) namespace(ctx context.Context, id string) error {
	var n functions.Namespace
	err := r.config.Store.View(ctx, func(tx functions.Tx) (err error) {
		n, err = tx.Namespace(id)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case n.Status == functions.Deleting:
		return r.deleteNamespace(ctx, id)
	case n.Status == functions.Pending && n.PrivateKey == nil:
		return r.provisionKeys(ctx, id)
	case n.Status == functions.Pending:
		return r.redeployFunctions(ctx, id)
	}
	return nil
}

// provisionKeys gives a new namespace its key pair and its registry.
func (r *Reconciler) provisionKeys(ctx context.Context, id string) error {
	pair, err := r.config.Keys.Take(ctx)
	if err != nil {
		return fmt.Errorf("provision keys of namespace %s: %w", id, err)
	}
	sealed, registryID := token.SealPrivate(r.config.Sealer, pair), r.config.NewID()
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil || n.Status != functions.Pending {
			return err
		}
		n.PublicKey, n.PrivateKey = pair.Public, sealed
		n.RegistryID = registryID
		n.RegistryEndpoint = fmt.Sprintf("rg.%s.scw.cloud/funcscw%s", n.Region, n.Slug)
		n.Status, n.UpdatedAt = functions.Ready, r.config.Now()
		return tx.Put(n)
	})
}

// redeployFunctions starts deployments of all deployed functions of a namespace, so
// that they get its changed variables.
func (r *Reconciler) redeployFunctions(ctx context.Context, id string) error {
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil || n.Status != functions.Pending {
			return err
		}
		within, _, err := tx.Functions(functions.Filter{NamespaceID: id}, functions.Page{})
		if err != nil {
			return err
		}
		for _, f := range within {
			deployed := f.Revision != nil || f.Status == functions.Pending
			if !deployed || f.Status == functions.Deleting {
				continue
			}
			// This supersedes a deployment that started with the old variables.
			f.StartDeployment(r.config.Now())
			if err := tx.Put(f); err != nil {
				return err
			}
		}
		n.Status, n.UpdatedAt = functions.Ready, r.config.Now()
		return tx.Put(n)
	})
}

// deleteNamespace deletes a namespace without functions. The deletion of its last
// function queues the namespace again.
func (r *Reconciler) deleteNamespace(ctx context.Context, id string) error {
	return r.config.Store.Update(ctx, func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil {
			return err
		}
		_, left, err := tx.Functions(functions.Filter{NamespaceID: id}, functions.Page{Number: 1, Size: 1})
		if err != nil || left > 0 {
			return err
		}
		return tx.Delete(n)
	})
}
