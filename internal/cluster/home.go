package cluster

import "github.com/jeton-dev/jeton/internal/store"

// A candidate is a member that may be chosen, with the hash of its name.
type candidate struct {
	member store.Member
	seed   uint64
}

// candidates returns the members among which work is distributed: those that do not
// drain and are not cordoned or, if there are none, all. Of several incarnations of one node the newest counts.
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
		if !m.Draining && !m.Cordoned {
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
	if len(all) == 0 {
		return store.Member{}, false
	}
	chosen, best, hash := 0, uint64(0), hashOf(key)
	for i := range all {
		weight := mix(all[i].seed ^ hash)
		if i == 0 || weight > best || weight == best && all[i].member.Node < all[chosen].member.Node {
			chosen, best = i, weight
		}
	}
	return all[chosen].member, true
}

// hashOf returns a hash that is the same on all nodes and in all versions: FNV-1a, mixed.
// It allocates nothing, unlike hash/fnv.
func hashOf(text string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for i := range len(text) {
		hash = (hash ^ uint64(text[i])) * prime
	}
	return mix(hash)
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
