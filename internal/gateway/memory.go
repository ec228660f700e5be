package gateway

import "sync"

// Memory is a budget for what waits in the gateway: request bodies and long
// headers. Each function can have a quarter of it at most.
type Memory struct {
	total int64

	mu    sync.Mutex
	used  int64
	users map[string]int64
}

// functionShare is the part of the budget that one function can have.
const functionShare = 4

// NewMemory returns a budget of so many bytes.
func NewMemory(total int64) *Memory { return &Memory{total: total, users: map[string]int64{}} }

// take charges the user, and reports whether the budget allows it. An empty user
// has the whole budget. Nil allows everything.
func (m *Memory) take(user string, n int64) bool {
	if m == nil || n == 0 {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used+n > m.total || user != "" && m.users[user]+n > m.total/functionShare {
		return false
	}
	m.used += n
	if user != "" {
		m.users[user] += n
	}
	return true
}

// give returns what was taken.
func (m *Memory) give(user string, n int64) {
	if m == nil || n == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
	if user == "" {
		return
	}
	if m.users[user] -= n; m.users[user] == 0 {
		delete(m.users, user)
	}
}
