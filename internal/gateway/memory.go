package gateway

import "sync"

// Memory is a budget for what waits in the gateway: request bodies and long
// headers. A function can have a quarter of it at most, and a project half.
type Memory struct {
	total int64

	mu    sync.Mutex
	used  int64
	users map[string]int64
}

// The parts of the budget that one function and one project can have.
const (
	functionShare = 4
	projectShare  = 2
)

// NewMemory returns a budget of so many bytes.
func NewMemory(total int64) *Memory { return &Memory{total: total, users: map[string]int64{}} }

// take charges a function and its project, and reports whether the budget allows it.
// Without a function there is no bound but the whole budget. Nil allows everything.
func (m *Memory) take(function, project string, n int64) bool {
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

// give returns what was taken.
func (m *Memory) give(function, project string, n int64) {
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
