package enginetest

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/test/await"
)

// A Measurer is an engine that measures the memory of revisions.
type Measurer interface {
	engine.Engine

	// Memory returns the memory in use by the instances of each revision, in bytes.
	Memory() map[string]int64
}

// RunMemory tests Memory of an engine that measures, which is fresh and is closed when the test ends.
func RunMemory(t *testing.T, e Measurer) {
	events := Watch(t, e)
	r := Revision(Serve)
	ready := StartOne(t, e, events, r)
	await.True(t, "the memory of the instance is known", func() bool { return e.Memory()[r.ID] > 0 })
	before := e.Memory()
	MustAsk(t, e, ready.Address, "allocate")
	await.True(t, "the memory has grown", func() bool { return e.Memory()[r.ID] >= before[r.ID]+Allocation*3/4 })
	if used, limit := e.Memory()[r.ID], int64(r.MemoryLimit+64)<<20; used > limit || len(before) != 1 {
		t.Errorf("%d revisions have memory, this one %d bytes; want one with at most %d", len(before), used, limit)
	}
	if err := e.Stop(t.Context(), ready.InstanceID); err != nil {
		t.Fatal(err)
	}
	Next(t, events, engine.Gone)
	if left := e.Memory(); len(left) > 0 {
		t.Errorf("the memory after the end is %v, want none", left)
	}
}
