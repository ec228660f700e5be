package cluster_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/test/await"
)

// owned returns how many of 300 keys a node is the home of, as another node sees it.
func owned(by *node, name string) int {
	count := 0
	for i := range 300 {
		if m, _ := by.Home(fmt.Sprint("f", i)); m.Node == name {
			count++
		}
	}
	return count
}

func TestCordon_NodeOwnsNothingUntilItEnds(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	var noted atomic.Bool
	remember := func(c *cluster.Config) {
		c.NoteCordon = func(cordoned bool) error { noted.Store(cordoned); return nil }
	}
	n := nodes[0].world.join("d", remember)
	await.True(t, "the new node owns work", func() bool { return owned(nodes[0], "d") > 0 })
	if _, err := nodes[1].Cordon(t.Context(), "d", true); err != nil {
		t.Fatal(err)
	}
	for _, other := range append(nodes, n) {
		await.True(t, "node "+other.name+" applies the cordon", func() bool { return owned(other, "d") == 0 })
	}
	if !n.Held() {
		t.Error("a cordoned node has no lease")
	}
	await.True(t, "the node remembers that it is cordoned", noted.Load)
	// It joins again, as after a restart of its process.
	n.stop()
	n.Leave(t.Context())
	again := nodes[0].world.join("d", remember, func(c *cluster.Config) { c.Cordoned = noted.Load() })
	await.True(t, "the node is a member again", func() bool { return nodes[0].members() == "[a b c d]" })
	if owned(nodes[0], "d") != 0 || owned(again, "d") != 0 {
		t.Error("a cordoned node owns work after it has joined again")
	}
	if m, err := nodes[2].Cordon(t.Context(), "d", false); err != nil || m.Cordoned {
		t.Fatalf("got %+v, %v", m, err)
	}
	await.True(t, "the node owns work again", func() bool { return owned(nodes[0], "d") > 0 && owned(again, "d") > 0 })
	await.True(t, "the node forgets the cordon", func() bool { return !noted.Load() })
}

// A process that was killed is still a member when it starts again: the flag is in its row.
func TestCordon_SurvivesACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("a")
	b := w.join("b")
	if _, err := b.Cordon(t.Context(), "b", true); err != nil {
		t.Fatal(err)
	}
	b.stop()
	again := w.join("b", func(c *cluster.Config) { c.Previous = b.Incarnation() })
	if owned(again, "b") != 0 {
		t.Error("the node owns work after a crash")
	}
}

func TestCordon_AllNodesServeIfAllAreCordoned(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	for _, n := range nodes {
		if _, err := n.Cordon(t.Context(), n.name, true); err != nil {
			t.Fatal(err)
		}
	}
	if sum := owned(nodes[2], "a") + owned(nodes[2], "b") + owned(nodes[2], "c"); sum != 300 {
		t.Errorf("%d of 300 keys have a home", sum)
	}
}

func TestFenceNow_RemovesADeadMemberAfterItsLease(t *testing.T) {
	t.Parallel()
	w, nodes := three(t)
	// The lease of the dead node is longer than that of the others.
	dead := w.join("d", func(c *cluster.Config) { c.Lease = 3 * time.Second })
	dead.stop()
	begun := time.Now()
	m, err := nodes[0].FenceNow(t.Context(), "d")
	if err != nil || m.Incarnation != dead.Incarnation() {
		t.Fatalf("FenceNow() = %+v, %v", m, err)
	}
	if dead.Held() {
		t.Error("the member is fenced while it has its lease")
	}
	if took := time.Since(begun); took < 2*time.Second {
		t.Errorf("the member was fenced after %v, before its lease has ended", took)
	}
	if got := nodes[0].members(); got != "[a b c]" {
		t.Errorf("got members %s", got)
	}
}

func TestFenceNow_RefusesMembersThatRun(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	for name, want := range map[string]functions.Code{"b": functions.PreconditionFailed, "a": functions.PreconditionFailed, "x": functions.NotFound} {
		_, err := nodes[0].FenceNow(t.Context(), name)
		if functions.CodeOf(err) != want {
			t.Errorf("FenceNow(%s) = %v, want %s", name, err, want)
		}
	}
	if got := nodes[0].members(); got != "[a b c]" {
		t.Errorf("got members %s, want that all stay", got)
	}
}

func TestStandings_ShowLeasesAndPositions(t *testing.T) {
	t.Parallel()
	_, nodes := three(t)
	nodes[0].put(token("t"))
	head := nodes[0].Position().Number
	await.True(t, "all members have recorded the last change", func() bool {
		all, err := nodes[1].Standings(t.Context())
		if err != nil || len(all) != 3 {
			t.Fatalf("got %+v, %v", all, err)
		}
		for i, s := range all {
			if s.Member.Node != nodes[i].name || s.Self != (i == 1) || s.Lease.Applied.Number < head || s.Left <= 0 || s.Left > lease {
				return false
			}
		}
		return true
	})
	nodes[1].registry.cut.Store(true)
	all, err := nodes[1].Standings(t.Context())
	if !errors.Is(err, errCut) || len(all) != 3 || all[0].Lease.Applied.Number < head {
		t.Errorf("without the database: got %+v, %v; want the last known leases", all, err)
	}
}

func TestAlone_HasNoMembersToOperate(t *testing.T) {
	t.Parallel()
	_, n := alone(t)
	_, fenced := n.FenceNow(t.Context(), "other")
	_, cordoned := n.Cordon(t.Context(), "only", true)
	if functions.CodeOf(fenced) != functions.PreconditionFailed || functions.CodeOf(cordoned) != functions.PreconditionFailed {
		t.Errorf("got %v and %v, want that both are refused", fenced, cordoned)
	}
}
