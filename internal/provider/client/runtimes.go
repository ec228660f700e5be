package client

import (
	"context"
	"sync"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// runtimesTimeout bounds the request for the runtimes, which are only used for
// advice: a plan must not wait long for them.
const runtimesTimeout = 3 * time.Second

// runtimeLists caches the runtimes of each region.
type runtimeLists struct {
	mu      sync.Mutex
	regions map[scw.Region]runtimeList
}

// A runtimeList is the result of one request.
type runtimeList struct {
	runtimes []*function.Runtime
	err      error
}

// Runtimes returns the runtimes of a region in the order of the API. Callers must
// not change them. The request is sent once per region, without retries, and its
// result, also an error, is cached.
func (c *Client) Runtimes(ctx context.Context, region scw.Region) ([]*function.Runtime, error) {
	c.runtimes.mu.Lock()
	defer c.runtimes.mu.Unlock()
	list, cached := c.runtimes.regions[region]
	if cached {
		return list.runtimes, list.err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, noRetryKey{}, true), runtimesTimeout)
	defer cancel()
	answer, err := c.functions.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{Region: region}, Context(ctx))
	if list.err = err; err == nil {
		list.runtimes = answer.Runtimes
	}
	if c.runtimes.regions == nil {
		c.runtimes.regions = map[scw.Region]runtimeList{}
	}
	c.runtimes.regions[region] = list
	return list.runtimes, list.err
}
