package reconcile

import (
	"maps"
	"slices"
	"sync"
)

// live knows, of each function, the revisions that instances may still run and
// the artifacts that they run from, so that nothing is removed under them. A
// function has several while a revision takes over from another.
type live struct {
	mu sync.Mutex
	// artifacts are by function and by who holds them: a revision, or the build
	// that is making it.
	artifacts map[string]map[string]string
}

func newLive() *live { return &live{artifacts: map[string]map[string]string{}} }

// hold keeps an artifact of a function from being removed.
func (l *live) hold(functionID, holder, artifact string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.artifacts[functionID] == nil {
		l.artifacts[functionID] = map[string]string{}
	}
	l.artifacts[functionID][holder] = artifact
}

// release ends what hold began.
func (l *live) release(functionID, holder string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.artifacts[functionID], holder)
	if len(l.artifacts[functionID]) == 0 {
		delete(l.artifacts, functionID)
	}
}

// holders are the revisions of a function that there are, and its builds.
func (l *live) holders(functionID string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.artifacts[functionID]))
}

// held are the artifacts of a function that must stay.
func (l *live) held(functionID string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.artifacts[functionID]))
}
