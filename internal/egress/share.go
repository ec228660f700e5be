package egress

import "sync"

const (
	// mostFlows bounds the connections and flows of one namespace, and mostOfAll
	// those of all namespaces of one policy. One function has at most mostOfFunction.
	mostFlows      = 512
	mostOfFunction = 2048
	mostOfAll      = 8192
)

// An owner is who a namespace's flows count for. The zero value is nobody: a
// namespace that waits for its function.
type owner struct{ function, project string }

// shares count the flows of a policy.
type shares struct {
	mu                    sync.Mutex
	total                 int
	ofFunction, ofProject map[string]int
}

// take counts a flow, and returns false if its owner has its share. A project has at
// most as many flows as are still free: half of all if it is alone, a third if there
// is another such one, and so on, so that some are always free for the next.
func (s *shares) take(o owner) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ofFunction == nil {
		s.ofFunction, s.ofProject = map[string]int{}, map[string]int{}
	}
	if s.ofFunction[o.function] >= mostOfFunction || s.ofProject[o.project] >= mostOfAll-s.total {
		return false
	}
	s.total++
	s.ofFunction[o.function]++
	s.ofProject[o.project]++
	return true
}

// giveBack counts a flow that has ended.
func (s *shares) giveBack(o owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total--
	decrement(s.ofFunction, o.function)
	decrement(s.ofProject, o.project)
}

func decrement(counts map[string]int, key string) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
