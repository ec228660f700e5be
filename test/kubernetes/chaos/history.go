package chaos

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Token is the life of a token as its client has seen it.
type Token struct {
	// Created is when its creation was answered, and Revoking when its deletion was requested; zero for
	// never. Revoked is when the deletion was answered.
	Created, Revoking, Revoked time.Time
	// Expires is when it expires; zero for never.
	Expires time.Time
}

// A Call is one call as its client has seen it.
type Call struct {
	Token          *Token
	Sent, Answered time.Time
	// Status is 0 for a call without an answer.
	Status int
	// Pod is the Pod that has served the call from Began to Ended, by its own clock; empty if the function
	// has not answered.
	Pod          string
	Began, Ended time.Time
}

// A History has what clients have seen. It is safe for concurrent use until it is checked.
type History struct {
	mu    sync.Mutex
	Calls []Call
	// Nodes are the nodes of Pods by name.
	Nodes map[string]string
}

// Add adds a call.
func (h *History) Add(c Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Calls = append(h.Calls, c)
}

// AddPod adds a Pod with its node.
func (h *History) AddPod(pod, node string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Nodes == nil {
		h.Nodes = map[string]string{}
	}
	h.Nodes[pod] = node
}

// admitted reports whether a call was admitted. A call without an answer, or for which the server was not
// available, may have been; it has had no effect that its client has seen.
func (c Call) admitted() bool {
	return c.Status != 0 && c.Status != http.StatusForbidden && c.Status != http.StatusServiceUnavailable
}

// WronglyAdmitted returns the calls that were admitted although their token was revoked or had expired
// when they were sent.
func (h *History) WronglyAdmitted() []Call {
	return h.find(func(c Call) bool {
		t := c.Token
		return c.admitted() && (!t.Revoked.IsZero() && c.Sent.After(t.Revoked) || !t.Expires.IsZero() && c.Sent.After(t.Expires))
	})
}

// WronglyDenied returns the calls that were denied although their token existed until they were answered.
func (h *History) WronglyDenied() []Call {
	return h.find(func(c Call) bool {
		t := c.Token
		return c.Status == http.StatusForbidden && !c.Sent.Before(t.Created) &&
			(t.Revoking.IsZero() || c.Answered.Before(t.Revoking)) && (t.Expires.IsZero() || c.Answered.Before(t.Expires))
	})
}

func (h *History) find(wanted func(Call) bool) []Call {
	var found []Call
	for _, c := range h.Calls {
		if wanted(c) {
			found = append(found, c)
		}
	}
	return found
}

// MostAtOnce returns for each node how many of its Pods have served calls at the same time at most. Pods
// without a known node belong to the node "". A Pod that served two calls at once counts twice.
func (h *History) MostAtOnce() map[string]int {
	type edge struct {
		at    time.Time
		delta int
		node  string
	}
	var edges []edge
	for _, c := range h.Calls {
		if c.Pod != "" {
			node := h.Nodes[c.Pod]
			edges = append(edges, edge{c.Began, 1, node}, edge{c.Ended, -1, node})
		}
	}
	// The clock of functions counts milliseconds: a call that ends when another begins is before it.
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.delta, b.delta)) })
	now, most := map[string]int{}, map[string]int{}
	for _, e := range edges {
		now[e.node] += e.delta
		most[e.node] = max(most[e.node], now[e.node])
	}
	return most
}

// A Ledger has the objects that clients have created and deleted, by ID, and whether each exists. It is
// safe for concurrent use.
type Ledger struct {
	mu      sync.Mutex
	objects map[string]State
	// Acknowledged and Unanswered count changes.
	Acknowledged, Unanswered int
}

// A State says whether an object exists.
type State int

// Objects exist, are deleted or, after a change without an answer, one of both.
const (
	Exists State = iota + 1
	Deleted
	Unknown
)

// Set records the outcome of a change.
func (l *Ledger) Set(id string, s State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.objects == nil {
		l.objects = map[string]State{}
	}
	l.objects[id] = s
	if s == Unknown {
		l.Unanswered++
	} else {
		l.Acknowledged++
	}
}

// Lost returns the acknowledged changes that a list of existing objects does not have, in words.
func (l *Ledger) Lost(existing []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost []string
	for id, state := range l.objects {
		switch exists := slices.Contains(existing, id); {
		case state == Exists && !exists:
			lost = append(lost, id+" was created and does not exist")
		case state == Deleted && exists:
			lost = append(lost, id+" was deleted and exists")
		}
	}
	slices.Sort(lost)
	return lost
}

// A Phase is the time of one fault.
type Phase struct {
	Name        string
	Begun, Over time.Time
}

// Row returns the row of a table about a phase.
func (h *History) Row(p Phase) string {
	var answered, failed, denied, wrong int
	var longest time.Duration
	for _, c := range h.Calls {
		if c.Sent.Before(p.Begun) || !c.Sent.Before(p.Over) {
			continue
		}
		void := !c.Token.Revoked.IsZero() && c.Sent.After(c.Token.Revoked) || !c.Token.Expires.IsZero() && c.Sent.After(c.Token.Expires)
		switch {
		case void && c.admitted():
			wrong++
		case void:
			denied++
		case c.Status == http.StatusOK:
			answered++
			longest = max(longest, c.Answered.Sub(c.Sent))
		default:
			failed++
		}
	}
	return fmt.Sprintf("%-22s %6.1f s %9d %7d %10.2f s %9d %9d", p.Name, p.Over.Sub(p.Begun).Seconds(), answered, failed, longest.Seconds(), denied, wrong)
}

// Header is the header of the rows.
var Header = strings.Join([]string{
	fmt.Sprintf("%-22s %8s %9s %7s %12s %9s %9s", "", "", "valid", "valid", "longest", "void", "void"),
	fmt.Sprintf("%-22s %8s %9s %7s %12s %9s %9s", "killed", "time", "answered", "failed", "wait", "denied", "ADMITTED"),
}, "\n")
