package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	idleConnections = 10_000
	slowConnections = 200
	badTokensEvery  = time.Second / 10_000
	attackTime      = 10 * time.Second
	// memoryBound is what the attack may add to the server's memory, in bytes:
	// some 30 KiB for each connection, and room to spare.
	memoryBound = 768 << 20
)

const stuck = `package f

import "net/http"

func Handle(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
`

// hostileLoad attacks the gateway in every way at once, and looks whether a
// good function is still served, and the server's memory stays bounded.
func hostileLoad(ctx context.Context, s *stage) (string, error) {
	v, err := s.newServer(ctx)
	if err != nil {
		return "", err
	}
	defer v.stop()
	namespaceID, err := v.namespace(ctx, "hostile")
	if err != nil {
		return "", err
	}
	good, err := v.deploy(ctx, namespaceID, "good", fast, 2)
	if err != nil {
		return "", err
	}
	bad, err := v.deploy(ctx, namespaceID, "stuck", stuck, 2)
	if err != nil {
		return "", err
	}
	tickets, err := v.tickets(ctx, 2, never, good, bad)
	if err != nil {
		return "", err
	}
	calm, err := v.percentile(ctx, tickets[0], attackTime/2)
	if err != nil {
		return "", err
	}
	before, err := memory(v.process.Process.Pid)
	if err != nil {
		return "", err
	}
	a := &attack{gateway: v.gateway, address: strings.TrimPrefix(v.gateway, "http://"), stuck: tickets[1]}
	attacking, stop := context.WithCancel(ctx)
	a.begin(attacking)
	attacked, err := v.percentile(ctx, tickets[0], attackTime)
	during, _ := memory(v.process.Process.Pid)
	stop()
	a.group.Wait()
	if err != nil {
		return "the good function is not served during the attack: " + err.Error(), errBroken
	}
	line := fmt.Sprintf("%d idle connections, %d slow ones, %d bad tokens in %v, %d heads of 1 MiB, %d calls to a function that never answers: "+
		"%d bad calls admitted, the good function's p99 %.1f times that of before, %d MiB more memory",
		a.idle.Load(), a.slow.Load(), a.refused.Load(), attackTime, a.heads.Load(), a.stuckCalls.Load(),
		a.admitted.Load(), attacked.Seconds()/calm.Seconds(), (during-before)>>20)
	if a.admitted.Load() > 0 || during-before > memoryBound || a.idle.Load() < idleConnections || a.refused.Load() == 0 {
		return line, errBroken
	}
	return line, nil
}

// percentile calls a function one call after another for a while, and returns
// the time that 99 in 100 calls do not exceed.
func (v *jeton) percentile(ctx context.Context, t *ticket, during time.Duration) (time.Duration, error) {
	var took []time.Duration
	for end := time.Now().Add(during); time.Now().Before(end); {
		began := time.Now()
		if status := call(ctx, http.DefaultClient, v.gateway, t.host, t.text); status != http.StatusOK {
			return 0, fmt.Errorf("a call is answered with %d", status)
		}
		took = append(took, time.Since(began))
		pause(ctx, time.Millisecond)
	}
	slices.Sort(took)
	return took[len(took)*99/100], nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// attack is all that is done at once.
type attack struct {
	gateway, address string
	stuck            *ticket
	group            sync.WaitGroup

	idle, slow, refused, admitted, heads, stuckCalls atomic.Int64
}

func (a *attack) begin(ctx context.Context) {
	const openers = 8
	for range openers {
		a.group.Go(func() { a.hold(ctx, idleConnections/openers) })
	}
	a.group.Go(func() { a.dribble(ctx) })
	for range 4 {
		a.group.Go(func() { a.guess(ctx) })
	}
	a.group.Go(func() { a.sendHeads(ctx) })
	for range 20 {
		a.group.Go(func() { a.callStuck(ctx) })
	}
	// The attack is whole when the connections are there.
	_ = eventually(ctx, func() bool { return a.idle.Load() >= idleConnections })
}

func (a *attack) dial(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, "tcp", a.address)
}

// hold opens connections and says nothing over them.
func (a *attack) hold(ctx context.Context, count int) {
	for range count {
		connection, err := a.dial(ctx)
		if err != nil {
			continue
		}
		defer connection.Close()
		a.idle.Add(1)
	}
	<-ctx.Done()
}

// dribble sends heads a byte at a time, and never ends them.
func (a *attack) dribble(ctx context.Context) {
	var open []net.Conn
	for range slowConnections {
		if connection, err := a.dial(ctx); err == nil {
			defer connection.Close()
			open = append(open, connection)
			a.slow.Add(1)
			_, _ = io.WriteString(connection, "GET / HTTP/1.1\r\nX-Slow: ")
		}
	}
	for ctx.Err() == nil {
		for _, connection := range open {
			_, _ = io.WriteString(connection, "x")
		}
		pause(ctx, 500*time.Millisecond)
	}
}

// guess sends tokens that are none, ten thousand in a second with its peers.
func (a *attack) guess(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(4 * badTokensEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch call(ctx, client, a.gateway, a.stuck.host, rand.Text()) {
		case http.StatusForbidden:
			a.refused.Add(1)
		case http.StatusOK:
			a.admitted.Add(1)
		}
	}
}

// sendHeads sends heads as long as they may be.
func (a *attack) sendHeads(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	token := strings.Repeat("x", 1_000_000)
	for ctx.Err() == nil {
		if call(ctx, client, a.gateway, a.stuck.host, token) == http.StatusForbidden {
			a.heads.Add(1)
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// callStuck calls the function that never answers.
func (a *attack) callStuck(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for ctx.Err() == nil {
		a.stuckCalls.Add(1)
		call(ctx, client, a.gateway, a.stuck.host, a.stuck.text)
	}
}

// memory is what a process has in memory, in bytes.
func memory(pid int) (int64, error) {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(content))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
