package client

import (
	"context"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// SettledNamespace returns the namespace once it is neither made nor changed nor
// deleted. Known is its latest known state, and may be nil.
func (c *Client) SettledNamespace(ctx context.Context, id regional.ID, known *function.Namespace) (*function.Namespace, error) {
	return c.namespace(ctx, id).settle(ctx, known)
}

// DeleteNamespace deletes the namespace and returns once it is no more. A
// namespace that is gone already is no error.
func (c *Client) DeleteNamespace(ctx context.Context, id regional.ID) error {
	_, err := c.SettledNamespace(ctx, id, nil)
	if err != nil {
		return ignoreNotFound(err)
	}
	deleted, err := c.functions.DeleteNamespace(&function.DeleteNamespaceRequest{Region: id.Region, NamespaceID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.namespace(ctx, id).vanish(ctx, deleted)
}

func (c *Client) namespace(ctx context.Context, id regional.ID) object[function.Namespace] {
	return object[function.Namespace]{
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

// SettledFunction returns the function once it is neither built nor deployed nor
// deleted. Known is its latest known state, and may be nil.
func (c *Client) SettledFunction(ctx context.Context, id regional.ID, known *function.Function) (*function.Function, error) {
	return c.function(ctx, id).settle(ctx, known)
}

// DeleteFunction deletes the function and returns once it is no more. A function
// that is gone already is no error.
func (c *Client) DeleteFunction(ctx context.Context, id regional.ID) error {
	_, err := c.SettledFunction(ctx, id, nil)
	if err != nil {
		return ignoreNotFound(err)
	}
	deleted, err := c.functions.DeleteFunction(&function.DeleteFunctionRequest{Region: id.Region, FunctionID: id.UUID}, Context(ctx))
	if err != nil {
		return ignoreNotFound(err)
	}
	return c.function(ctx, id).vanish(ctx, deleted)
}

func (c *Client) function(ctx context.Context, id regional.ID) object[function.Function] {
	return object[function.Function]{
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

// SettledToken returns the token once it is neither made nor deleted. Known is
// its latest known state, and may be nil.
func (c *Client) SettledToken(ctx context.Context, id regional.ID, known *function.Token) (*function.Token, error) {
	return object[function.Token]{
		noun: "token " + id.String(),
		get: func() (*function.Token, error) {
			return c.functions.GetToken(&function.GetTokenRequest{Region: id.Region, TokenID: id.UUID}, Context(ctx))
		},
		status: func(t *function.Token) string { return t.Status.String() },
		transient: func(t *function.Token) bool {
			return t.Status == function.TokenStatusCreating || t.Status == function.TokenStatusDeleting
		},
	}.settle(ctx, known)
}

// DeleteToken revokes the token. When it returns, the service has said that no
// function takes the token any more. A token that is gone already is no error.
func (c *Client) DeleteToken(ctx context.Context, id regional.ID) error {
	defer c.lists.forget(id.UUID)
	_, err := c.functions.DeleteToken(&function.DeleteTokenRequest{Region: id.Region, TokenID: id.UUID}, Context(ctx))
	return ignoreNotFound(err)
}

func ignoreNotFound(err error) error {
	if IsNotFound(err) {
		return nil
	}
	return err
}
