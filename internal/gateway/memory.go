package gateway

import "sync"

// Memory is a memory budget for request bodies and long headers. A function can use at most a
// quarter of it, and a project half. It is safe for concurrent use.
type Memory struct {
	total int64

	mu    sync.Mutex
	used  int64
	users map[string]int64
}

// One function and one project can use the total divided by these numbers.
const (
	functionShare = 4
	projectShare  = 2
)

// NewMemory returns a budget of total bytes.
func NewMemory(total int64) *Memory { return &Memory{total: total, users: map[string]int64{}} }

// reserve reserves n bytes for a function and its project, and reports whether the budget
// allows it. Without a function only the total is limited. A nil Memory allows everything.
func (m *Memory) reserve(function, project string, n int64) bool {
	if m == nil || n == 0 {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.used+n > m.total:
		return false
	case function == "":
	case m.users[function]+n > m.total/functionShare, m.users[project]+n > m.total/projectShare:
		return false
	default:
		m.users[function] += n
		m.users[project] += n
	}
	m.used += n
	return true
}

// release releases n reserved bytes.
func (m *Memory) release(function, project string, n int64) {
	if m == nil || n == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
	if function == "" {
		return
	}
	for _, user := range []string{function, project} {
		if m.users[user] -= n; m.users[user] == 0 {
			delete(m.users, user)
		}
	}
}
