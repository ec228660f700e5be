package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// attackArgument makes this program attack a gateway until its input ends.
const attackArgument = "attack"

const (
	idleConnections = 10_000
	slowConnections = 200
	withholders     = 100
	addresses       = 5
	guessers        = 4
	// guessesPerSecond is the rate of invalid tokens of each guesser.
	guessesPerSecond = 10_000 / guessers
)

// An attackOrder describes the target of an attack. It comes over the standard input
// because it contains a token.
type attackOrder struct {
	Address string
	// Host and Token belong to a function that never answers.
	Host, Token string
}

// attackCounts count what an attack has done.
type attackCounts struct {
	Idle, Slow, Refused, Admitted, Heads, Stuck, Withheld int64
	// Seconds is how long invalid tokens have been sent.
	Seconds float64
}

// An attack runs all kinds of attack at the same time.
type attack struct {
	attackOrder
	group sync.WaitGroup
	began time.Time

	idle, slow, refused, admitted, heads, stuckCalls, withheld, dialed atomic.Int64
}

// runAttack reads an attackOrder, and attacks until the input ends. It prints its counts
// twice: when all connections are open, and at the end.
func runAttack(input io.Reader, output io.Writer) error {
	a := &attack{}
	orders, answers := json.NewDecoder(input), json.NewEncoder(output)
	if err := orders.Decode(&a.attackOrder); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := a.begin(ctx); err != nil {
		return err
	}
	if err := answers.Encode(a.counts()); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, input)
	counts := a.counts()
	stop()
	a.group.Wait()
	if err != nil {
		return err
	}
	return answers.Encode(counts)
}

func (a *attack) counts() attackCounts {
	return attackCounts{
		Idle: a.idle.Load(), Slow: a.slow.Load(), Refused: a.refused.Load(), Admitted: a.admitted.Load(),
		Heads: a.heads.Load(), Stuck: a.stuckCalls.Load(), Withheld: a.withheld.Load(), Seconds: time.Since(a.began).Seconds(),
	}
}

func (a *attack) begin(ctx context.Context) error {
	const openers = 8
	for range openers {
		a.group.Go(func() { a.hold(ctx, idleConnections/openers) })
	}
	a.group.Go(func() { a.dribble(ctx) })
	// The other attacks begin when all idle connections are open.
	if err := await.Until(ctx, "the idle connections are open", func() bool { return a.idle.Load() >= idleConnections }); err != nil {
		return fmt.Errorf("open idle connections: %d opened: %w", a.idle.Load(), err)
	}
	a.began = time.Now()
	for range guessers {
		a.group.Go(func() { a.guess(ctx) })
	}
	a.group.Go(func() { a.sendHeads(ctx) })
	for range withholders {
		a.group.Go(func() { a.withhold(ctx) })
	}
	for range 20 {
		a.group.Go(func() { a.callStuck(ctx) })
	}
	return nil
}

// dial connects from one of several addresses, since the gateway bounds the connections
// of each. The ordinary callers use another address.
func (a *attack) dial(ctx context.Context) (net.Conn, error) {
	from := net.IPv4(127, 0, 0, byte(2+a.dialed.Add(1)%addresses))
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
	return dialer.DialContext(ctx, "tcp", a.Address)
}

// withhold repeatedly sends the head of a request, 200 KiB long, without its body.
func (a *attack) withhold(ctx context.Context) {
	head := "POST / HTTP/1.1\r\nHost: " + a.Host + "\r\nX-Long: " + strings.Repeat("x", 200<<10) + "\r\nContent-Length: 1000000\r\n\r\n"
	for ctx.Err() == nil {
		connection, err := a.dial(ctx)
		if err != nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		release := context.AfterFunc(ctx, func() { _ = connection.Close() })
		if _, err := io.WriteString(connection, head); err == nil {
			a.withheld.Add(1)
			_, _ = io.Copy(io.Discard, connection) // It returns when the gateway closes it.
		}
		release()
		_ = connection.Close()
	}
}

// hold opens connections and sends nothing.
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

// dribble sends request heads one byte at a time, without an end.
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

// guess sends invalid tokens over one connection, guessesPerSecond at most.
func (a *attack) guess(ctx context.Context) {
	connection, err := a.dial(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "prove: send invalid tokens:", err)
		return
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	answers := bufio.NewReader(connection)
	for sent, began := 0, time.Now(); ctx.Err() == nil; pause(ctx, 2*time.Millisecond) {
		// A batch is bounded: the server answers all of it before the next is sent.
		due := min(int(time.Since(began).Seconds()*guessesPerSecond)-sent, 64)
		var requests strings.Builder
		for range due {
			fmt.Fprintf(&requests, "GET / HTTP/1.1\r\nHost: %s\r\nX-Auth-Token: %s\r\n\r\n", a.Host, rand.Text())
		}
		if _, err := io.WriteString(connection, requests.String()); err != nil {
			return
		}
		for range due {
			response, err := http.ReadResponse(answers, nil)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusForbidden {
				a.refused.Add(1)
			} else {
				a.admitted.Add(1)
			}
		}
		sent += due
	}
}

// sendHeads sends request heads of the maximum size.
func (a *attack) sendHeads(ctx context.Context) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	token := strings.Repeat("x", 1_000_000)
	for ctx.Err() == nil {
		if call(ctx, client, "http://"+a.Address, a.Host, token) == http.StatusForbidden {
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
		call(ctx, client, "http://"+a.Address, a.Host, a.Token)
	}
}
