package server

import (
	"os"
	"sync"
)

// heapFloor is the size of an allocation that is never used, in bytes. It takes no
// memory, but the garbage collector counts it: collections begin when the heap has
// grown to twice the live heap, and the live heap of a gateway is so small that it
// would be collected many times per second, for a quarter of its CPU time
// (docs/performance.md).
const heapFloor = 64 << 20

var floor = sync.OnceValue(func() []byte { return make([]byte, heapFloor) })

// CollectLessOften makes garbage collections rarer, for up to 64 MiB more garbage. It
// does nothing if the environment configures the collector.
func CollectLessOften() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		floor()
	}
}
