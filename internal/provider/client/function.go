package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledFunction waits until the function is not being built, deployed or
// deleted, and returns it. Known is its last known state and may be nil.
func (c *Client) SettledFunction(ctx context.Context, id regional.ID, known *function.Function) (*function.Function, error) {
	return c.function(ctx, id).untilSettled(ctx, known)
}

// DeleteFunction deletes the function and waits until it is gone. It returns nil
// if the function does not exist.
func (c *Client) DeleteFunction(ctx context.Context, id regional.ID) error {
	_, err := c.SettledFunction(ctx, id, nil)
	if err != nil {
		return ignoreNotFound(err)
	}
	deleted, err := c.functions.DeleteFunction(&function.DeleteFunctionRequest{Region: id.Region, FunctionID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.function(ctx, id).untilDeleted(ctx, deleted)
}

func (c *Client) function(ctx context.Context, id regional.ID) waiter[function.Function] {
	return waiter[function.Function]{
		noun: "function " + id.String(),
		get: func() (*function.Function, error) {
			return c.functions.GetFunction(&function.GetFunctionRequest{Region: id.Region, FunctionID: id.UUID}, Context(ctx))
		},
		status: func(f *function.Function) string { return f.Status.String() },
		transient: func(f *function.Function) bool {
			switch f.Status {
			case function.FunctionStatusCreating, function.FunctionStatusPending, function.FunctionStatusDeleting:
				return true
			default:
				return false
			}
		},
	}
}
