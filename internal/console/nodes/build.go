package nodes

import (
	"context"
	"sync"
	"time"
)

// buildLife is how long the answer of another node about a build is used: open pages ask
// several times a second.
const buildLife = time.Second

// maxBuilds is the maximum number of remembered answers.
const maxBuilds = 256

// builds has the latest answers of other nodes, by function ID. The zero value is empty.
type builds struct {
	mu      sync.Mutex
	answers map[string]knownBuild
}

type knownBuild struct {
	buildAnswer

	at time.Time
}

// Running implements api.Builds. Builds run at the home of their function.
func (n *Nodes) Running(ctx context.Context, functionID string) (string, bool) {
	home, self := n.config.Members.Home(functionID)
	if text, ok := n.config.Source.RunningBuild(functionID); ok || self {
		return text, ok
	}
	now := n.config.Now()
	n.builds.mu.Lock()
	known, ok := n.builds.answers[functionID]
	n.builds.mu.Unlock()
	if ok && now.Sub(known.at).Abs() < buildLife {
		return known.Text, known.Running
	}
	// An error looks like a build that has ended; the log of a later build replaces it.
	found, _ := askOne[buildAnswer](ctx, n, home, buildPath, question{FunctionID: functionID})
	n.builds.mu.Lock()
	defer n.builds.mu.Unlock()
	if n.builds.answers == nil || len(n.builds.answers) >= maxBuilds {
		n.builds.answers = map[string]knownBuild{}
	}
	n.builds.answers[functionID] = knownBuild{found, now}
	return found.Text, found.Running
}

// Finished implements api.Builds.
func (n *Nodes) Finished(_ context.Context, functionID string) (string, error) {
	return n.config.Source.NewestBuild(functionID)
}
