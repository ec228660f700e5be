package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/postgres"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/nopeers"
	server "github.com/jeton-dev/jeton/test/postgres"
)

func TestMain(m *testing.M) { server.Main(m) }

// memberNode is a node of a cluster with its crons.
type memberNode struct {
	*cluster.Node
	*schedule.Crons

	store *postgres.Store
}

// startMember starts a node that calls a handler at the times of a clock, until the test
// ends.
func startMember(t *testing.T, database, name string, now func() time.Time, calls http.Handler) *memberNode {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db, err := postgres.Open(t.Context(), database, time.Now, postgres.WithLog(log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	node, err := cluster.New(cluster.Config{
		Store: db, Registry: db, Peers: nopeers.Peers{}, Name: name, Address: name, Blobs: "shared",
		Lease: cluster.DefaultLease, Margin: cluster.DefaultMargin,
		Joined: func(string) error { return nil }, NoteCordon: func(bool) error { return nil },
		Clock: cluster.SystemClock, NewID: uuid.NewString, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	crons, err := schedule.NewCrons(schedule.CronsConfig{Owners: node, Calls: calls, Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	node.Subscribe(crons.OwnersChanged)
	ctx, stop := context.WithCancel(context.Background())
	err = db.Follow(ctx, store.Position{}, store.NewFanout(node.First(), crons, node.Follower()))
	if err = errors.Join(err, node.Join(ctx)); err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = node.Run(ctx) })
	running.Go(func() { _ = crons.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return &memberNode{Node: node, Crons: crons, store: db}
}

// setDraining makes a member drain, or not, without its participation.
func setDraining(ctx context.Context, through, of *memberNode, draining bool) error {
	return through.store.Update(ctx, func(tx store.Tx) error {
		m, err := tx.Member(of.Incarnation())
		if err != nil {
			return err
		}
		m.Draining = draining
		return tx.Put(m)
	})
}

// Two nodes on PostgreSQL, whose owner changes while a call is due: 300 times. The clocks
// of the nodes are two seconds apart.
func TestCrons_CallOncePerTimeWhileMembersChange(t *testing.T) {
	t.Parallel()
	database := server.Database(t)
	var minutes, calls atomic.Int64
	start := time.Date(2030, 1, 1, 0, 0, 30, 0, time.UTC)
	clock := func(ahead time.Duration) func() time.Time {
		return func() time.Time { return start.Add(time.Duration(minutes.Load())*time.Minute + ahead) }
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); w.WriteHeader(http.StatusOK) })
	nodes := []*memberNode{
		startMember(t, database, "node1", clock(0), handler),
		startMember(t, database, "node2", clock(2*time.Second), handler),
	}
	err := nodes[0].store.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put(iam.Project{ID: projectID, Name: "default"}),
			tx.Put(functions.Namespace{ID: namespaceID, ProjectID: projectID, Region: region, Name: "n", Slug: "slug"}),
			tx.Put(functions.Function{ID: functionID, ProjectID: projectID, NamespaceID: namespaceID, Region: region, Name: "f", DomainName: host}),
			tx.Put(functions.Cron{
				ID: uuid.NewString(), ProjectID: projectID, FunctionID: functionID, Region: region, Name: "c",
				Schedule: "* * * * *", Args: []byte("{}"), Status: functions.Ready, NextAfter: start,
			}))
	})
	if err != nil {
		t.Fatal(err)
	}
	owned := [2]int{}
	const changes = 300
	for i := range changes {
		home, _ := nodes[0].Home(functionID)
		drained, other := nodes[0], nodes[1]
		if home.Node == "node2" {
			drained, other = nodes[1], nodes[0]
		}
		changed := make(chan error, 1)
		go func() {
			changed <- errors.Join(setDraining(t.Context(), other, other, false), setDraining(t.Context(), other, drained, true))
		}()
		// The call becomes due before, during or after the change.
		<-time.After(time.Duration(rand.Int64N(int64(5 * time.Millisecond))))
		minutes.Add(1)
		for _, n := range nodes {
			n.OwnersChanged() // The clock was set: look at it again.
		}
		if err := <-changed; err != nil {
			t.Fatal(err)
		}
		await.True(t, fmt.Sprintf("call %d is made", i+1), func() bool { return calls.Load() > int64(i) })
		if got := calls.Load(); got != int64(i+1) {
			t.Fatalf("got %d calls at %d times", got, i+1)
		}
		if drained == nodes[0] {
			owned[0]++
		} else {
			owned[1]++
		}
	}
	if owned[0] < changes/3 || owned[1] < changes/3 {
		t.Errorf("got %v changes of owners, want both nodes", owned)
	}
}
