package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledTrigger waits until the trigger is not being created, changed or deleted,
// and returns it. Known is its last known state and may be nil.
func (c *Client) SettledTrigger(ctx context.Context, id regional.ID, known *function.Trigger) (*function.Trigger, error) {
	return c.trigger(ctx, id).untilSettled(ctx, known)
}

// DeleteTrigger deletes the trigger and waits until it is gone. It returns nil if
// the trigger does not exist.
func (c *Client) DeleteTrigger(ctx context.Context, id regional.ID) error {
	deleted, err := c.functions.DeleteTrigger(&function.DeleteTriggerRequest{Region: id.Region, TriggerID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.trigger(ctx, id).untilDeleted(ctx, deleted)
}

func (c *Client) trigger(ctx context.Context, id regional.ID) waiter[function.Trigger] {
	return waiter[function.Trigger]{
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
