package server

import (
	"os"
	"sync"
)

// heapFloor is what the garbage collector takes for the least that is in use, in
// bytes. It is never touched, so it takes no memory; but collections begin when
// the heap has grown to twice of what is in use, and that of a gateway is so
// small that under load it would be collected many times in a second, for a
// quarter of its CPU time (docs/performance.md).
const heapFloor = 64 << 20

var floor = sync.OnceValue(func() []byte { return make([]byte, heapFloor) })

// CollectLessOften has the process collect garbage less often, at the price of
// up to 64 MiB more of it, unless the environment sets the collector already.
func CollectLessOften() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		floor()
	}
}
