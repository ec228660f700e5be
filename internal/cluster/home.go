package cluster

import (
	"hash/fnv"

	"github.com/jeton-dev/jeton/internal/store"
)

// A candidate is a member that may be chosen, with the hash of its name.
type candidate struct {
	member store.Member
	seed   uint64
}

// candidates returns the members among which work is distributed: those that do not
// drain or, if all drain, all. Of several incarnations of one node the newest counts.
func candidates(members []store.Member) []candidate {
	newest := map[string]store.Member{}
	for _, m := range members {
		if other, ok := newest[m.Node]; !ok || m.JoinedAt.After(other.JoinedAt) {
			newest[m.Node] = m
		}
	}
	var staying, all []candidate
	for _, m := range newest {
		c := candidate{m, hashOf(m.Node)}
		all = append(all, c)
		if !m.Draining {
			staying = append(staying, c)
		}
	}
	if len(staying) > 0 {
		return staying
	}
	return all
}

// choose returns the candidate for a key, by rendezvous hashing: when a member joins or
// leaves, only the keys that it gains or loses change their member. It returns false if
// there is no candidate.
func choose(all []candidate, key string) (store.Member, bool) {
	var chosen candidate
	var best uint64
	hash := hashOf(key)
	for i, c := range all {
		weight := mix(c.seed ^ hash)
		if i == 0 || weight > best || weight == best && c.member.Node < chosen.member.Node {
			chosen, best = c, weight
		}
	}
	return chosen.member, len(all) > 0
}

// hashOf returns a hash that is the same on all nodes and in all versions.
func hashOf(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return mix(h.Sum64())
}

// mix spreads the bits of a number: the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// Choose returns the member that is the home of a function or the owner of other work
// with a key, and false without members.
func Choose(members []store.Member, key string) (store.Member, bool) {
	return choose(candidates(members), key)
}
