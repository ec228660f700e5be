package cluster_test

import (
	"hash/fnv"
	"strconv"
	"testing"

	"github.com/jeton-dev/jeton/internal/cluster"
	"github.com/jeton-dev/jeton/internal/store"
)

// Nodes of all versions must choose the same member.
func TestChoose_NeverChanges(t *testing.T) {
	t.Parallel()
	mix := func(x uint64) uint64 {
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		return x ^ x>>31
	}
	hash := func(text string) uint64 {
		h := fnv.New64a()
		_, _ = h.Write([]byte(text))
		return mix(h.Sum64())
	}
	members := []store.Member{{Incarnation: "1", Node: "a"}, {Incarnation: "2", Node: "b"}, {Incarnation: "3", Node: "c"}}
	chosen := map[string]int{}
	for i := range 3000 {
		key := "key-" + strconv.Itoa(i)
		want := members[0]
		for _, m := range members {
			if mix(hash(m.Node)^hash(key)) > mix(hash(want.Node)^hash(key)) {
				want = m
			}
		}
		got, ok := cluster.Choose(members, key)
		if !ok || got.Node != want.Node {
			t.Fatalf("the home of %s: got %s, %v, want %s", key, got.Node, ok, want.Node)
		}
		chosen[got.Node]++
	}
	for _, m := range members {
		if n := chosen[m.Node]; n < 800 {
			t.Errorf("%s is the home of %d of 3000 keys, want about 1000", m.Node, n)
		}
	}
}
