package egress

import "sync"

const (
	// maxLinkFlows bounds the TCP connections and UDP flows of one namespace,
	// maxFunctionFlows those of one function, and maxPolicyFlows those of all namespaces
	// with one policy.
	maxLinkFlows     = 512
	maxFunctionFlows = 2048
	maxPolicyFlows   = 8192
)

// A tenant is the function and project that flows count against. The zero value is a
// namespace without a function yet.
type tenant struct{ function, project string }

// A limiter counts the flows of a policy. The zero value is ready to use. Its methods
// are safe for concurrent use.
type limiter struct {
	mu                    sync.Mutex
	total                 int
	ofFunction, ofProject map[string]int
}

// acquire counts a flow, or returns false if its tenant has too many. A project may have
// as many flows as are free: a half of all if it is the only one, a third each if two
// projects use all they may, and so on. Thus some are always free for another project.
func (l *limiter) acquire(t tenant) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ofFunction == nil {
		l.ofFunction, l.ofProject = map[string]int{}, map[string]int{}
	}
	if l.ofFunction[t.function] >= maxFunctionFlows || l.ofProject[t.project] >= maxPolicyFlows-l.total {
		return false
	}
	l.total++
	l.ofFunction[t.function]++
	l.ofProject[t.project]++
	return true
}

// release ends a flow that acquire counted.
func (l *limiter) release(t tenant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	decrement(l.ofFunction, t.function)
	decrement(l.ofProject, t.project)
}

func decrement(counts map[string]int, key string) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
