package reconcile

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/token"
)

func (r *Reconciler) namespace(ctx context.Context, id string) error {
	var n functions.Namespace
	err := r.Store.View(ctx, func(tx functions.Tx) (err error) {
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
		return r.equipNamespace(ctx, id)
	case n.Status == functions.Pending:
		return r.spreadVariables(ctx, id)
	}
	return nil
}

// equipNamespace gives a new namespace its key pair.
func (r *Reconciler) equipNamespace(ctx context.Context, id string) error {
	pair, err := r.Keys.Take(ctx)
	if err != nil {
		return fmt.Errorf("key pair for namespace %s: %w", id, err)
	}
	sealed := token.SealPrivate(r.Sealer, pair)
	return r.Store.Update(ctx, func(tx functions.Tx) error {
		n, err := tx.Namespace(id)
		if err != nil || n.Status != functions.Pending {
			return err
		}
		n.PublicKey, n.PrivateKey = pair.Public, sealed
		n.RegistryID = r.NewID()
		n.RegistryEndpoint = fmt.Sprintf("rg.%s.scw.cloud/funcscw%s", n.Region, n.Slug)
		n.Status, n.UpdatedAt = functions.Ready, r.Now()
		return tx.Put(n)
	})
}

// spreadVariables has the functions of a namespace deployed again, with the
// variables that it has now.
func (r *Reconciler) spreadVariables(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
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
			// A deployment under way has begun with the old variables.
			f.StartDeployment(r.Now())
			if err := tx.Put(f); err != nil {
				return err
			}
		}
		n.Status, n.UpdatedAt = functions.Ready, r.Now()
		return tx.Put(n)
	})
}

// deleteNamespace removes a namespace once its functions are gone; the last of
// them to go brings it back here.
func (r *Reconciler) deleteNamespace(ctx context.Context, id string) error {
	return r.Store.Update(ctx, func(tx functions.Tx) error {
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
