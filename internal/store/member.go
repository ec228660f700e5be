package store

import "time"

// A Member is one incarnation of a node of a cluster: a process that serves from the
// database. It joins, drains and leaves by changes, like any other object.
type Member struct {
	// Incarnation is a random ID. A node that joins again has another one.
	Incarnation string `json:"id"`
	// Node is the name of the node. No two nodes have the same.
	Node string `json:"node"`
	// Address is the host:port at which the other nodes reach this one.
	Address string `json:"address"`
	// Format is the newest format that the node reads.
	Format int `json:"format"`
	// Version is the version of the program.
	Version string `json:"version"`
	// Lease is how long the node serves after its last renewal. It is fenced later.
	Lease time.Duration `json:"lease"`
	// Blobs identifies where the node stores archives and artifacts; empty for folders of
	// its own machine.
	Blobs string `json:"blobs,omitempty"`
	// Draining means that the node is about to leave, and Cordoned that an operator has
	// excluded it. It must not become the home of functions in either case.
	Draining bool      `json:"draining,omitempty"`
	Cordoned bool      `json:"cordoned,omitempty"`
	JoinedAt time.Time `json:"joined_at"`
}

// ObjectID implements Object.
func (m Member) ObjectID() string { return m.Incarnation }
