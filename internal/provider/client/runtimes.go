package client

import (
	"context"
	"sync"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// runtimeLists keeps the runtimes of each region for as long as the provider
// runs: one plan may ask for them once for each function.
type runtimeLists struct {
	mu       sync.Mutex
	runtimes map[scw.Region][]*function.Runtime
}

// Runtimes returns the runtimes of a region in the service's own order. Callers
// must not change them.
func (c *Client) Runtimes(ctx context.Context, region scw.Region) ([]*function.Runtime, error) {
	c.runtimes.mu.Lock()
	defer c.runtimes.mu.Unlock()
	if known := c.runtimes.runtimes[region]; known != nil {
		return known, nil
	}
	list, err := c.functions.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{Region: region}, Context(ctx))
	if err != nil {
		return nil, err
	}
	if c.runtimes.runtimes == nil {
		c.runtimes.runtimes = map[scw.Region][]*function.Runtime{}
	}
	c.runtimes.runtimes[region] = list.Runtimes
	return list.Runtimes, nil
}
