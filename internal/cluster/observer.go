package cluster

import (
	"time"

	"github.com/jeton-dev/jeton/internal/store"
)

// An Observer receives what happens to a node, for metrics. Its methods are quick, and safe
// for concurrent use.
type Observer interface {
	// Waited is called after an answer has waited for other members. Last are the names of
	// the members that it has waited for last, none if all had applied the change, and
	// confirmed is whether all members have applied it.
	Waited(took time.Duration, last []string, confirmed bool)
	// RenewalFailed is called when a lease could not be renewed.
	RenewalFailed()
	// Fenced is called after this node has fenced another one.
	Fenced()
}

// Observe makes the node call o. It must be called before Join.
func (n *Node) Observe(o Observer) { n.observer = o }

// unobserved is the Observer of a node without one.
type unobserved struct{}

func (unobserved) Waited(time.Duration, []string, bool) {}
func (unobserved) RenewalFailed()                       {}
func (unobserved) Fenced()                              {}

func nodesOf(members []store.Member) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = m.Node
	}
	return all
}
