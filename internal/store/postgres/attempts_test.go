package postgres_test

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jeton-dev/jeton/internal/iam"
	server "github.com/jeton-dev/jeton/test/postgres"
)

const perMinute = 60

// An attemptNode is the limiter of a node.
type attemptNode struct {
	*iam.Attempts
	shared iam.SharedAttempts
	at     time.Time
}

func attemptNodes(t *testing.T, count int) (all []*attemptNode, database string) {
	t.Helper()
	database = server.Database(t)
	for range count {
		n := &attemptNode{Attempts: iam.NewAttempts(perMinute), shared: open(t, database).Attempts(), at: time.Now()}
		n.exchange(t)
		all = append(all, n)
	}
	return all, database
}

func (n *attemptNode) exchange(t *testing.T) {
	t.Helper()
	if err := n.Exchange(t.Context(), n.shared, func() time.Time { return n.at }); err != nil {
		t.Fatal(err)
	}
}

// fail counts failures from an address, and returns the number of those within the limit.
func (n *attemptNode) fail(address string, failures int) (allowed int) {
	for range failures {
		if !n.CountFailure(netip.MustParseAddr(address), n.at) {
			allowed++
		}
	}
	return allowed
}

func countAttempts(t *testing.T, database string) (count int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err == nil {
		err = errors.Join(conn.QueryRow(t.Context(), "SELECT count(*) FROM attempts").Scan(&count), conn.Close(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAttempts_CountAtAllNodes(t *testing.T) {
	t.Parallel()
	nodes, database := attemptNodes(t, 3)
	const attacker, other = "192.0.2.1", "2001:db8::1"
	if got := nodes[0].fail(attacker, 1000); got != perMinute {
		t.Fatalf("%d of 1000 failures are within the limit, want %d", got, perMinute)
	}
	if rows := countAttempts(t, database); rows != 0 {
		t.Errorf("the table has %d rows before an exchange, want none", rows)
	}
	for _, n := range nodes {
		n.exchange(t)
	}
	if rows := countAttempts(t, database); rows != 1 {
		t.Errorf("the table has %d rows after 1000 failures from one address, want 1", rows)
	}
	for i, n := range nodes[1:] {
		if got := n.fail(attacker, 10); got != 0 {
			t.Errorf("%d failures at node %d are within the limit, want none", got, i+2)
		}
		if got := n.fail(other, 10); got != 10 {
			t.Errorf("%d of 10 failures from another address are within the limit", got)
		}
	}
	// An attacker who spreads attempts over the nodes for ten minutes gets as many as with
	// one node, besides those of the first exchanges.
	total := 0
	for range 600 {
		for _, n := range nodes {
			n.at = n.at.Add(time.Second)
			total += n.fail(attacker, 2)
		}
		for range 2 {
			for _, n := range nodes {
				n.exchange(t)
			}
		}
	}
	if least, most := 9*perMinute, 20*perMinute; total < least || total > most {
		t.Errorf("%d failures in ten minutes are within the limit, want between %d and %d", total, least, most)
	}
	t.Logf("%d failures in ten minutes, limit %d a minute", total, perMinute)
}

// Many networks need several exchanges, and the table does not grow without bound.
func TestAttempts_BoundExchangesAndTable(t *testing.T) {
	t.Parallel()
	nodes, database := attemptNodes(t, 2)
	const networks = 1000
	for i := range networks {
		nodes[0].fail(fmt.Sprintf("10.0.%d.%d", i/256, i%256), 1)
	}
	nodes[0].fail("192.0.2.1", perMinute)
	nodes[0].exchange(t)
	nodes[1].exchange(t)
	if rows := countAttempts(t, database); rows != 256 {
		t.Errorf("one exchange has added %d rows, want 256", rows)
	}
	if got := nodes[1].fail("192.0.2.1", 1); got != 0 {
		t.Error("the network with the most failures is not limited after the first exchange")
	}
	for range 4 {
		nodes[0].exchange(t)
	}
	if rows := countAttempts(t, database); rows != networks+1 {
		t.Errorf("the table has %d rows, want %d", rows, networks+1)
	}
	server.Execute(t, database, "UPDATE attempts SET at = at - interval '3 minutes'")
	nodes[1].fail("192.0.2.2", 1)
	nodes[1].exchange(t)
	if rows := countAttempts(t, database); rows != 1 {
		t.Errorf("the table has %d rows after the deletion of old ones, want 1", rows)
	}
	// The rows of a network that fails again begin at zero.
	nodes[0].at, nodes[1].at = nodes[0].at.Add(time.Hour), nodes[1].at.Add(time.Hour)
	nodes[0].fail("192.0.2.1", 10)
	nodes[0].exchange(t)
	nodes[1].exchange(t)
	if got := nodes[1].fail("192.0.2.1", perMinute); got != perMinute-10 {
		t.Errorf("%d failures are within the limit, want %d", got, perMinute-10)
	}
}

// Without its database, a node has a limit of its own.
func TestAttempts_LimitWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := open(t, server.Database(t))
	attempts := iam.NewAttempts(perMinute)
	shared := s.Attempts()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	n := &attemptNode{Attempts: attempts, shared: shared, at: time.Now()}
	if err := n.Exchange(t.Context(), shared, time.Now); err == nil {
		t.Error("Exchange() with a closed store = nil, want an error")
	}
	if got := n.fail("192.0.2.1", 1000); got != perMinute {
		t.Errorf("%d failures are within the limit, want %d", got, perMinute)
	}
}
