package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledNamespace waits until the namespace is not being created, changed or
// deleted, and returns it. Known is its last known state and may be nil.
func (c *Client) SettledNamespace(ctx context.Context, id regional.ID, known *function.Namespace) (*function.Namespace, error) {
	return c.namespace(ctx, id).untilSettled(ctx, known)
}

// DeleteNamespace deletes the namespace and waits until it is gone. It returns
// nil if the namespace does not exist.
func (c *Client) DeleteNamespace(ctx context.Context, id regional.ID) error {
	_, err := c.SettledNamespace(ctx, id, nil)
	if err != nil {
		return ignoreNotFound(err)
	}
	deleted, err := c.functions.DeleteNamespace(&function.DeleteNamespaceRequest{Region: id.Region, NamespaceID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.namespace(ctx, id).untilDeleted(ctx, deleted)
}

func (c *Client) namespace(ctx context.Context, id regional.ID) waiter[function.Namespace] {
	return waiter[function.Namespace]{
		noun: "namespace " + id.String(),
		get: func() (*function.Namespace, error) {
			return c.functions.GetNamespace(&function.GetNamespaceRequest{Region: id.Region, NamespaceID: id.UUID}, Context(ctx))
		},
		status: func(n *function.Namespace) string { return n.Status.String() },
		transient: func(n *function.Namespace) bool {
			switch n.Status {
			case function.NamespaceStatusCreating, function.NamespaceStatusPending, function.NamespaceStatusDeleting:
				return true
			default:
				return false
			}
		},
	}
}
