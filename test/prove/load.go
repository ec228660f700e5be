package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// A token is a token in use.
type token struct {
	text string
	host string
	id   string
	// invalidSince is when the token's deletion was answered, or its expiry, in
	// nanoseconds since 1970; 0 while the token is valid. No later call may be admitted.
	invalidSince atomic.Int64
	// history has all calls with the token, if the load records them.
	history history
}

// deleted records that the deletion of the token was answered.
func (t *token) deleted(at time.Time) {
	t.invalidSince.Store(at.UnixNano())
	t.history.mu.Lock()
	defer t.history.mu.Unlock()
	t.history.delete.answered = at.UnixNano()
}

// A load calls functions over many connections until it is stopped. Each caller reads the
// token's state before it sends a call, so that a call counts as late only if the token
// was invalid before the call began.
type load struct {
	gateways []string
	tokens   []*token
	// timeout is how long a caller waits for an answer; zero means as long as the load runs.
	timeout time.Duration
	// records makes the load add each call to the history of its token.
	records bool
	// current is the index of the token that becomes invalid now. Half of the calls use
	// a token near it.
	current atomic.Int64
	group   sync.WaitGroup

	// late counts calls with an invalid token, and lateAdmitted those that were admitted.
	admitted, refused, late, lateAdmitted, failed atomic.Int64
}

const (
	keepAliveConnections = 40
	streamConnections    = 4
	streamsPerConnection = 6
)

// begin starts 64 callers: 40 with an HTTP/1.1 connection each, and 24 that share four
// HTTP/2 connections.
func (l *load) begin(ctx context.Context) {
	for range keepAliveConnections {
		l.caller(ctx, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}})
	}
	for range streamConnections {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		for range streamsPerConnection {
			l.caller(ctx, client)
		}
	}
}

func (l *load) caller(ctx context.Context, client *http.Client) {
	l.group.Go(func() {
		defer client.CloseIdleConnections()
		for ctx.Err() == nil {
			l.call(ctx, client, l.pick())
		}
	})
}

// pick returns any token or, for half of the calls, one near the current.
func (l *load) pick() *token {
	const distance = 10
	if rand.IntN(2) == 0 {
		return l.tokens[rand.IntN(len(l.tokens))]
	}
	i := int(l.current.Load()) + rand.IntN(2*distance) - distance
	return l.tokens[min(max(i, 0), len(l.tokens)-1)]
}

func (l *load) call(ctx context.Context, client *http.Client, t *token) {
	invalidSince := t.invalidSince.Load()
	sent := time.Now().UnixNano()
	late := invalidSince != 0 && sent > invalidSince
	one, cancel := ctx, context.CancelFunc(func() {})
	if l.timeout > 0 {
		one, cancel = context.WithTimeout(ctx, l.timeout)
	}
	status := call(one, client, l.gateways[rand.IntN(len(l.gateways))], t.host, t.text)
	cancel()
	if late {
		l.late.Add(1)
	}
	switch status {
	// A call that reached an instance, or waited for one, was admitted.
	case http.StatusOK, http.StatusBadGateway, http.StatusGatewayTimeout:
		l.admitted.Add(1)
		if late {
			l.lateAdmitted.Add(1)
		}
	case http.StatusForbidden:
		l.refused.Add(1)
	default:
		if ctx.Err() == nil {
			l.failed.Add(1)
			// A node that is down refuses connections at once.
			pause(ctx, afterFailure)
		}
		return
	}
	if l.records {
		t.history.add(use{sent, time.Now().UnixNano(), status != http.StatusForbidden})
	}
}

// afterFailure is the pause of a caller after a call without an answer.
const afterFailure = 5 * time.Millisecond

// call calls a function, and returns the status; 0 without an answer.
func call(ctx context.Context, client *http.Client, gateway, host, token string) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, gateway, nil)
	if err != nil {
		return 0
	}
	request.Host = host
	request.Header.Set("X-Auth-Token", token)
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

// tokens creates tokens for the functions in turn.
func (v *jeton) tokens(ctx context.Context, count int, expiresAt func(int) *time.Time, of ...*function.Function) ([]*token, error) {
	var all []*token
	for i := range count {
		f, begun := of[i%len(of)], time.Now().UnixNano()
		created, err := v.token(ctx, f.ID, expiresAt(i))
		if err != nil {
			return nil, err
		}
		t := &token{text: created.Token, host: f.DomainName, id: created.ID}
		t.history.created, t.history.delete = interval{begun, time.Now().UnixNano()}, interval{pending, pending}
		if created.ExpiresAt != nil {
			t.invalidSince.Store(created.ExpiresAt.UnixNano())
		}
		all = append(all, t)
	}
	return all, nil
}

// never is an expiresAt for tokens that do not expire.
func never(int) *time.Time { return nil }
