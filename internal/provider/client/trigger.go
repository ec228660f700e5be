package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledTrigger returns the trigger once it is neither made nor changed nor
// deleted. Known is its latest known state, and may be nil.
func (c *Client) SettledTrigger(ctx context.Context, id regional.ID, known *function.Trigger) (*function.Trigger, error) {
	return c.trigger(ctx, id).settle(ctx, known)
}

// DeleteTrigger deletes the trigger and returns once it is no more. A trigger
// that is gone already is no error.
func (c *Client) DeleteTrigger(ctx context.Context, id regional.ID) error {
	deleted, err := c.functions.DeleteTrigger(&function.DeleteTriggerRequest{Region: id.Region, TriggerID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.trigger(ctx, id).vanish(ctx, deleted)
}

func (c *Client) trigger(ctx context.Context, id regional.ID) object[function.Trigger] {
	return object[function.Trigger]{
		noun: "trigger " + id.String(),
		get: func() (*function.Trigger, error) {
			return c.functions.GetTrigger(&function.GetTriggerRequest{Region: id.Region, TriggerID: id.UUID}, Context(ctx))
		},
		status: func(t *function.Trigger) string { return t.Status.String() },
		transient: func(t *function.Trigger) bool {
			switch t.Status {
			case function.TriggerStatusCreating, function.TriggerStatusPending, function.TriggerStatusDeleting:
				return true
			default:
				return false
			}
		},
	}
}
