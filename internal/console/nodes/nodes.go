package nodes

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A Source is what this node shows.
type Source interface {
	// Of, Sum and Activity are as in api.MetricsHistory.
	Of(functionID string, day bool) api.MetricsSeries
	Sum(day bool, scope functions.Scope, namespaceID string) api.MetricsSeries
	Activity(functionIDs []string) map[string]api.Activity
	State(ctx context.Context) api.ServerState
	// RunningBuild returns the log of the build of a function that runs now.
	RunningBuild(functionID string) (text string, ok bool)
	// NewestBuild returns the log of the latest build of a function at any node.
	NewestBuild(functionID string) (string, error)
	// Refused returns the calls with a revoked token that were refused, and the time of the
	// last one.
	Refused(tokenID string) (calls int64, last time.Time)
}

// Members are the other nodes.
type Members interface {
	Name() string
	Others() []store.Member
	// Home returns the home of a function, and whether it is this node.
	Home(functionID string) (home store.Member, self bool)
}

// Config has the dependencies of Nodes. Do is required if there may be other members, the
// other fields are required.
type Config struct {
	Source  Source
	Members Members
	// Do sends a request to a member. Package peers implements it.
	Do  func(m store.Member, r *http.Request) (*http.Response, error)
	Now func() time.Time
}

// Nodes implements the sources of package api for all nodes. It is safe for concurrent use.
type Nodes struct {
	config Config
	builds builds
}

var (
	_ api.MetricsHistory = (*Nodes)(nil)
	_ api.Builds         = (*Nodes)(nil)
)

// New returns Nodes. Returns an error if a required field is missing.
func New(c Config) (*Nodes, error) {
	if c.Source == nil || c.Members == nil || c.Now == nil {
		return nil, errors.New("configure the nodes of the console: Source, Members and Now are required")
	}
	return &Nodes{config: c}, nil
}

// Of implements api.MetricsHistory.
func (n *Nodes) Of(ctx context.Context, functionID string, day bool) api.MetricsSeries {
	sum := n.config.Source.Of(functionID, day)
	n.addSeries(ctx, &sum, question{FunctionID: functionID, Day: day})
	return sum
}

// Sum implements api.MetricsHistory.
func (n *Nodes) Sum(ctx context.Context, day bool, scope functions.Scope, namespaceID string) api.MetricsSeries {
	sum := n.config.Source.Sum(day, scope, namespaceID)
	n.addSeries(ctx, &sum, question{Day: day, Scope: scope, NamespaceID: namespaceID})
	return sum
}

func (n *Nodes) addSeries(ctx context.Context, sum *api.MetricsSeries, q question) {
	answers, missing := askAll[api.MetricsSeries](ctx, n, seriesPath, q)
	for _, a := range answers {
		add(sum, a)
	}
	sum.MissingNodes = missing
}

// add adds the values of another node at the same times. The durations of a function that
// was served by two nodes in a step are the longer ones.
func add(sum *api.MetricsSeries, other api.MetricsSeries) {
	if other.Step != sum.Step || other.Step <= 0 {
		return
	}
	shift := int(other.Start.Sub(sum.Start) / (time.Duration(sum.Step) * time.Second))
	addTo(sum.Calls, other.Calls, shift, plus)
	addTo(sum.Errors, other.Errors, shift, plus)
	addTo(sum.ColdStarts, other.ColdStarts, shift, plus)
	addTo(sum.Instances, other.Instances, shift, plus)
	addTo(sum.Memory, other.Memory, shift, plus)
	addTo(sum.P50, other.P50, shift, longer)
	addTo(sum.P99, other.P99, shift, longer)
}

func plus(a, b int64) int64       { return a + b }
func longer(a, b float64) float64 { return max(a, b) }

func addTo[T any](to, values []T, shift int, sum func(a, b T) T) {
	for i, v := range values {
		if at := i + shift; at >= 0 && at < len(to) {
			to[at] = sum(to[at], v)
		}
	}
}

// Activity implements api.MetricsHistory. A node that does not answer is left out.
func (n *Nodes) Activity(ctx context.Context, functionIDs []string) map[string]api.Activity {
	sum := n.config.Source.Activity(functionIDs)
	answers, _ := askAll[map[string]api.Activity](ctx, n, activityPath, question{FunctionIDs: functionIDs})
	for _, answer := range answers {
		for id, a := range answer {
			s := sum[id]
			sum[id] = api.Activity{Calls: s.Calls + a.Calls, Errors: s.Errors + a.Errors, ColdStarts: s.ColdStarts + a.ColdStarts, Instances: s.Instances + a.Instances}
		}
	}
	return sum
}

// State returns the state of this node, with those of all nodes.
func (n *Nodes) State(ctx context.Context) api.ClusterState {
	own := n.config.Source.State(ctx)
	state := api.ClusterState{ServerState: own, Nodes: []api.NodeState{{Name: n.config.Members.Name(), Self: true, Version: own.Version, State: &own}}}
	for _, a := range ask[api.ServerState](ctx, n, statePath, question{}) {
		one := api.NodeState{Name: a.member.Node, Version: a.member.Version, Draining: a.member.Draining, Cordoned: a.member.Cordoned}
		if a.err != nil {
			one.Problem = "the node does not answer: " + a.err.Error()
		} else {
			one.State = &a.value
		}
		state.Nodes = append(state.Nodes, one)
	}
	slices.SortFunc(state.Nodes, func(a, b api.NodeState) int { return strings.Compare(a.Name, b.Name) })
	return state
}

// Refused returns the calls with a revoked token that all nodes have refused.
func (n *Nodes) Refused(ctx context.Context, tokenID string) (calls int64, last time.Time) {
	calls, last = n.config.Source.Refused(tokenID)
	answers, _ := askAll[refusedAnswer](ctx, n, refusedPath, question{TokenID: tokenID})
	for _, a := range answers {
		calls += a.Calls
		if a.Last.After(last) {
			last = a.Last
		}
	}
	return calls, last
}
