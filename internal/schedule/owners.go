package schedule

import (
	"context"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

// Owners decides which node of a cluster calls a function for its crons and triggers.
// Package cluster implements it. The keys are the IDs of functions.
type Owners interface {
	// Owns reports whether this node has its lease and does the work with a key.
	Owns(key string) bool
	// UpdateOwned runs a transaction. In it, owns reports whether this node owns a key
	// when the transaction has locked the store.
	UpdateOwned(ctx context.Context, write func(tx functions.Tx, owns func(key string) bool) error) error
}

// ownersWait is the longest time for which Run waits without asking again what this node
// owns. A lease ends and returns without a change of the members.
const ownersWait = time.Second
