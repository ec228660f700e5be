// Package nopeers has nodes of a cluster that cannot ask each other, for tests in one
// process: the barrier reads what they have recorded in the database instead.
package nopeers

import (
	"context"
	"errors"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
)

// Peers implements cluster.Peers. It reaches no node.
type Peers struct{}

// Acknowledge implements cluster.Peers.
func (Peers) Acknowledge(context.Context, store.Member, store.Position) (cluster.Acknowledgement, error) {
	return cluster.Acknowledgement{}, errors.New("this node has no connections to other nodes")
}
