package client

import (
	"context"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// adviceTimeout is how long something is waited for that is good to know, and no
// more than that.
const adviceTimeout = 3 * time.Second

// runtimeLists are the runtimes of the regions, as far as they were asked for.
type runtimeLists struct {
	mu      sync.Mutex
	regions map[scw.Region]runtimeList
}

// A runtimeList is an answer, or why there is none.
type runtimeList struct {
	runtimes []*function.Runtime
	err      error
}

// Runtimes returns the runtimes of a region, in the service's own order; callers
// must not change them. They are asked for once, whatever comes of it: whoever
// asks can do without.
func (c *Client) Runtimes(ctx context.Context, region scw.Region) ([]*function.Runtime, error) {
	c.runtimes.mu.Lock()
	defer c.runtimes.mu.Unlock()
	known, asked := c.runtimes.regions[region]
	if asked {
		return known.runtimes, known.err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, onceKey{}, true), adviceTimeout)
	defer cancel()
	list, err := c.functions.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{Region: region}, Context(ctx))
	if known.err = err; err == nil {
		known.runtimes = list.Runtimes
	}
	if c.runtimes.regions == nil {
		c.runtimes.regions = map[scw.Region]runtimeList{}
	}
	c.runtimes.regions[region] = known
	return known.runtimes, known.err
}
