package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledToken waits until the token is not being created or deleted, and
// returns it. Known is its last known state and may be nil.
func (c *Client) SettledToken(ctx context.Context, id regional.ID, known *function.Token) (*function.Token, error) {
	return waiter[function.Token]{
		noun: "token " + id.String(),
		get: func() (*function.Token, error) {
			return c.functions.GetToken(&function.GetTokenRequest{Region: id.Region, TokenID: id.UUID}, Context(ctx))
		},
		status: func(t *function.Token) string { return t.Status.String() },
		transient: func(t *function.Token) bool {
			return t.Status == function.TokenStatusCreating || t.Status == function.TokenStatusDeleting
		},
	}.untilSettled(ctx, known)
}

// RefreshedToken returns the token like SettledToken, but may answer from a list
// of the scope's tokens that is at most listMaxAge old. A refresh of many tokens
// of one scope then needs a few list requests instead of one request per token.
// A token that is not in the list, or is in a transient state, is read by itself.
func (c *Client) RefreshedToken(ctx context.Context, id regional.ID, scope Scope) (*function.Token, error) {
	return c.SettledToken(ctx, id, c.lists.find(ctx, c.functions, scope, id.UUID))
}

// DeleteToken revokes the token. After it returns nil, no function accepts the
// token. It returns nil if the token does not exist.
func (c *Client) DeleteToken(ctx context.Context, id regional.ID) error {
	defer c.lists.forget(id.UUID)
	_, err := c.functions.DeleteToken(&function.DeleteTokenRequest{Region: id.Region, TokenID: id.UUID}, Context(ctx))
	return ignoreNotFound(err)
}
