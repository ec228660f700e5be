package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledCron waits until the cron is not being created, changed or deleted, and
// returns it. Known is its last known state and may be nil.
func (c *Client) SettledCron(ctx context.Context, id regional.ID, known *function.Cron) (*function.Cron, error) {
	return c.cron(ctx, id).untilSettled(ctx, known)
}

// DeleteCron deletes the cron and waits until it is gone. It returns nil if the
// cron does not exist.
func (c *Client) DeleteCron(ctx context.Context, id regional.ID) error {
	deleted, err := c.functions.DeleteCron(&function.DeleteCronRequest{Region: id.Region, CronID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.cron(ctx, id).untilDeleted(ctx, deleted)
}

func (c *Client) cron(ctx context.Context, id regional.ID) waiter[function.Cron] {
	return waiter[function.Cron]{
		noun: "cron " + id.String(),
		get: func() (*function.Cron, error) {
			return c.functions.GetCron(&function.GetCronRequest{Region: id.Region, CronID: id.UUID}, Context(ctx))
		},
		status: func(f *function.Cron) string { return f.Status.String() },
		transient: func(f *function.Cron) bool {
			switch f.Status {
			case function.CronStatusCreating, function.CronStatusPending, function.CronStatusDeleting:
				return true
			default:
				return false
			}
		},
	}
}
