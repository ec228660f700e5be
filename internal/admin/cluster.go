package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Cluster is the cluster that the server is a node of. The node of package cluster
// implements it.
type Cluster interface {
	// Name returns the name of this node, Held whether it has its lease, and Position the
	// last change that it has applied.
	Name() string
	Held() bool
	Position() store.Position
	// Standings returns all members, none if the server is not a node of a cluster. After
	// an error, leases are those of the last successful read.
	Standings(ctx context.Context) ([]store.Standing, error)
	// Home returns the member that is the home of a function.
	Home(functionID string) (home store.Member, self bool)
	// Cordon excludes a node from being the home of functions, or ends that.
	Cordon(ctx context.Context, name string, cordoned bool) (store.Member, error)
	// FenceNow removes a node that is gone, after its lease must have ended.
	FenceNow(ctx context.Context, name string) (store.Member, error)
}

// Nodes implements the operations on the nodes of a cluster. The methods are safe for
// concurrent use.
type Nodes struct {
	store   Store
	cluster Cluster
}

// NewNodes returns the operations on the nodes of the cluster to which the server belongs.
func NewNodes(s Store, c Cluster) (*Nodes, error) {
	if s == nil || c == nil {
		return nil, errors.New("configure the administration of nodes: a store and a cluster are required")
	}
	return &Nodes{s, c}, nil
}

// Operations returns the endpoints of the socket. They are below /cluster, and also work
// while the node has no lease.
func (n *Nodes) Operations() map[string]Operation {
	return map[string]Operation{
		"GET /cluster":                     n.status,
		"PUT /cluster/nodes/{node}/cordon": n.cordon,
		"POST /cluster/nodes/{node}/fence": n.fence,
	}
}

// ClusterStatus is the state of a cluster as one node sees it.
type ClusterStatus struct {
	// Node is the node that answers, and Lease whether it has its lease.
	Node  string `json:"node"`
	Lease bool   `json:"lease"`
	// Change is the number of the last change that this node knows of.
	Change int64 `json:"change"`
	// Error is why the database could not be read; the rest is then what this node knew
	// before.
	Error   string       `json:"error,omitempty"`
	Members []NodeStatus `json:"members"`
}

// The states of a node.
const (
	NodeServing  = "serving"
	NodeCordoned = "cordoned"
	NodeDraining = "draining"
	// NodeLost is a node whose lease has ended. It is fenced after the margin.
	NodeLost = "lost"
)

// NodeStatus is the JSON form of a member.
type NodeStatus struct {
	Name        string    `json:"name"`
	Address     string    `json:"address"`
	Incarnation string    `json:"incarnation"`
	Version     string    `json:"version"`
	State       string    `json:"state"`
	JoinedAt    time.Time `json:"joined_at"`
	// LeaseLeft is how long the lease lasts at most, in seconds.
	LeaseLeft float64 `json:"lease_left_seconds"`
	// Applied is the number of the last change that the node has reported to have applied,
	// and Lag how many changes it lacks.
	Applied int64 `json:"applied"`
	Lag     int64 `json:"lag"`
	// ClockOffset is how far the clock of the node is ahead of that of the database, in
	// seconds.
	ClockOffset float64 `json:"clock_offset_seconds"`
	// Functions is the number of functions that the node is the home of.
	Functions int `json:"functions"`
}

// Status returns the state of the cluster.
func (n *Nodes) Status(ctx context.Context) ClusterStatus {
	all, err := n.cluster.Standings(ctx)
	homes, viewErr := n.homes(ctx)
	status := ClusterStatus{Node: n.cluster.Name(), Lease: n.cluster.Held(), Members: []NodeStatus{}}
	if err = errors.Join(err, viewErr); err != nil {
		status.Error = err.Error()
	}
	status.Change = n.cluster.Position().Number
	for _, standing := range all {
		status.Change = max(status.Change, standing.Lease.Applied.Number)
	}
	for _, standing := range all {
		encoded := encodeNode(standing, status.Change)
		encoded.Functions = homes[standing.Member.Incarnation]
		status.Members = append(status.Members, encoded)
	}
	return status
}

// homes returns the number of functions by the incarnation of their home.
func (n *Nodes) homes(ctx context.Context) (map[string]int, error) {
	count := map[string]int{}
	all, err := view(ctx, n.store, func(tx store.Tx) ([]functions.Function, error) {
		all, _, err := tx.Functions(functions.Filter{}, functions.Page{})
		return all, err
	})
	for _, f := range all {
		home, _ := n.cluster.Home(f.ID)
		count[home.Incarnation]++
	}
	return count, err
}

func encodeNode(standing store.Standing, newest int64) NodeStatus {
	m := standing.Member
	state := NodeServing
	switch {
	case standing.Left <= 0:
		state = NodeLost
	case m.Draining:
		state = NodeDraining
	case m.Cordoned:
		state = NodeCordoned
	}
	return NodeStatus{
		Name: m.Node, Address: m.Address, Incarnation: m.Incarnation, Version: m.Version, State: state, JoinedAt: m.JoinedAt,
		LeaseLeft: standing.Left.Seconds(), Applied: standing.Lease.Applied.Number, Lag: max(newest-standing.Lease.Applied.Number, 0),
		ClockOffset: standing.Lease.Ahead.Seconds(),
	}
}

func (n *Nodes) status(r *http.Request) (any, error) { return n.Status(r.Context()), nil }

func (n *Nodes) cordon(r *http.Request) (any, error) {
	var request cordonRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	m, err := n.cluster.Cordon(r.Context(), r.PathValue("node"), request.Cordoned)
	return changedNode{m.Node}, err
}

func (n *Nodes) fence(r *http.Request) (any, error) {
	m, err := n.cluster.FenceNow(r.Context(), r.PathValue("node"))
	return changedNode{m.Node}, err
}
