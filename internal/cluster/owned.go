package cluster

import (
	"context"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Owns reports whether this node has its lease and does the work with a key.
func (n *Node) Owns(key string) bool {
	_, self := n.Home(key)
	return self && n.Held()
}

// CheckOwner returns ErrNotOwner unless this incarnation owns the key in the transaction,
// which must be one of Update.
func (n *Node) CheckOwner(tx store.Tx, key string) error {
	if n.alone {
		return nil
	}
	members, err := tx.Members()
	if err != nil {
		return err
	}
	owner, ok := Choose(members, key)
	if !ok || owner.Incarnation != n.Incarnation() {
		return ErrNotOwner
	}
	return nil
}

// Owned returns the store for work with a key. Update returns ErrNotOwner, and changes
// nothing, if another member owns the key when the transaction has locked the store.
func (n *Node) Owned(key string) functions.Store { return owned{n, key} }

type owned struct {
	node *Node
	key  string
}

// View implements functions.Store.
func (o owned) View(ctx context.Context, read func(functions.Tx) error) error {
	return o.node.config.Store.View(ctx, func(tx store.Tx) error { return read(tx) })
}

// Update implements functions.Store.
func (o owned) Update(ctx context.Context, write func(functions.Tx) error) error {
	return o.node.config.Store.Update(ctx, func(tx store.Tx) error {
		if err := o.node.CheckOwner(tx, o.key); err != nil {
			return err
		}
		return write(tx)
	})
}

// UpdateOwned runs a transaction with work of several keys. In it, owns reports whether
// this incarnation owns a key; the transaction must not do other work.
func (n *Node) UpdateOwned(ctx context.Context, write func(tx functions.Tx, owns func(key string) bool) error) error {
	return n.config.Store.Update(ctx, func(tx store.Tx) error {
		if n.alone {
			return write(tx, func(string) bool { return true })
		}
		members, err := tx.Members()
		if err != nil {
			return err
		}
		all := candidates(members)
		return write(tx, func(key string) bool {
			owner, ok := choose(all, key)
			return ok && owner.Incarnation == n.Incarnation()
		})
	})
}
