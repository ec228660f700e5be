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

// ticket is a token while it is being used, and the instant from which nothing
// may be admitted with it: the answer to its deletion, or its expiry.
type ticket struct {
	text string
	host string
	id   string
	// dead is in nanoseconds since 1970; zero while the token is good.
	dead atomic.Int64
}

// tally is what the callers of a load have seen.
type tally struct {
	admitted, refused, late, broken, failed atomic.Int64
}

// load calls functions over many connections until it is stopped. Each caller
// notes the time before it sends a call, so that a call counts as late only
// where the token was dead before the call began.
type load struct {
	gateway string
	tickets []*ticket
	// recent are the tickets to use most: those that die.
	recent atomic.Int64
	tally
	group sync.WaitGroup
}

const (
	keepAliveConnections = 40
	streamConnections    = 4
	streamsEach          = 6
)

// begin starts 64 callers: 40 over a connection of HTTP/1.1 each, and 24 over
// streams of four connections of HTTP/2.
func (l *load) begin(ctx context.Context) {
	for range keepAliveConnections {
		l.caller(ctx, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}})
	}
	for range streamConnections {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		for range streamsEach {
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

// pick takes, half of the time, a token around the one that is dying now.
func (l *load) pick() *ticket {
	const around = 10
	if rand.IntN(2) == 0 {
		return l.tickets[rand.IntN(len(l.tickets))]
	}
	i := int(l.recent.Load()) + rand.IntN(2*around) - around
	return l.tickets[min(max(i, 0), len(l.tickets)-1)]
}

func (l *load) call(ctx context.Context, client *http.Client, t *ticket) {
	dead := t.dead.Load()
	sent := time.Now().UnixNano()
	late := dead != 0 && sent > dead
	status := call(ctx, client, l.gateway, t.host, t.text)
	if late {
		l.late.Add(1)
	}
	switch {
	case status == http.StatusOK:
		l.admitted.Add(1)
		if late {
			l.broken.Add(1)
		}
	case status == http.StatusForbidden:
		l.refused.Add(1)
	case ctx.Err() == nil:
		l.failed.Add(1)
	}
}

// call calls a function, and returns the status, or 0 without an answer.
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

// tickets makes tokens for functions in turn.
func (v *jeton) tickets(ctx context.Context, count int, expiresAt func(int) *time.Time, of ...*function.Function) ([]*ticket, error) {
	var all []*ticket
	for i := range count {
		f := of[i%len(of)]
		token, err := v.token(ctx, f.ID, expiresAt(i))
		if err != nil {
			return nil, err
		}
		t := &ticket{text: token.Token, host: f.DomainName, id: token.ID}
		if token.ExpiresAt != nil {
			t.dead.Store(token.ExpiresAt.UnixNano())
		}
		all = append(all, t)
	}
	return all, nil
}

func never(int) *time.Time { return nil }
