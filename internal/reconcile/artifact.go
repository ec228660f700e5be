package reconcile

import (
	"maps"
	"slices"
	"sync"
)

// artifactsInUse records which artifacts must not be removed: those of revisions
// that may have instances, and those of deployments in progress. A function has
// several revisions while one replaces another. All methods are safe for concurrent
// use.
type artifactsInUse struct {
	mu sync.Mutex
	// byHolder maps function ID and holder to the artifact. A holder is the ID of a
	// revision or, during a deployment, the name of the artifact itself.
	byHolder map[string]map[string]string
}

func newArtifactsInUse() *artifactsInUse {
	return &artifactsInUse{byHolder: map[string]map[string]string{}}
}

// hold keeps an artifact of a function from being removed until release is called.
func (a *artifactsInUse) hold(functionID, holder, artifact string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byHolder[functionID] == nil {
		a.byHolder[functionID] = map[string]string{}
	}
	a.byHolder[functionID][holder] = artifact
}

// release ends what hold began. It does nothing for an unknown holder.
func (a *artifactsInUse) release(functionID, holder string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.byHolder[functionID], holder)
	if len(a.byHolder[functionID]) == 0 {
		delete(a.byHolder, functionID)
	}
}

// holders returns the holders of a function's artifacts.
func (a *artifactsInUse) holders(functionID string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Keys(a.byHolder[functionID]))
}

// artifacts returns the names of a function's artifacts that are in use.
func (a *artifactsInUse) artifacts(functionID string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.byHolder[functionID]))
}
