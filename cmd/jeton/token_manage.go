package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/remote"
)

// createTokenCommand creates a token and prints it.
type createTokenCommand struct {
	Function    string        `arg:"" optional:"" help:"Function of the token: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	Namespace   string        `env:"-" help:"Namespace of the token, instead of a function: NAME, ID or REGION/ID." placeholder:"NAMESPACE"`
	ExpiresIn   time.Duration `env:"-" help:"Lifetime of the token, such as 720h (default: unlimited)." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt   time.Time     `env:"-" help:"Expiry of the token, such as 2027-01-31T12:00:00Z (default: never)." xor:"expiry" placeholder:"TIME"`
	Description string        `env:"-" help:"Description of the token." placeholder:"TEXT"`
	remoteCommand
	outputFlags
}

// Run prints the token alone on standard output, for use in $(...).
func (c *createTokenCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if (c.Function == "") == (c.Namespace == "") {
		return errors.New("create token: name either a function or a --namespace")
	}
	if c.ExpiresIn < 0 {
		return errors.New("create token: --expires-in must be positive")
	}
	return c.withServer(line, func(server *remote.Server) error {
		request := &function.CreateTokenRequest{}
		if c.Namespace != "" {
			n, err := server.Namespace(ctx, c.Namespace)
			if err != nil {
				return err
			}
			request.Region, request.NamespaceID = n.Region, &n.ID
		} else {
			f, err := server.Function(ctx, c.Function)
			if err != nil {
				return err
			}
			request.Region, request.FunctionID = f.Function.Region, &f.Function.ID
		}
		if c.Description != "" {
			request.Description = &c.Description
		}
		switch {
		case c.ExpiresIn > 0:
			request.ExpiresAt = new(time.Now().Add(c.ExpiresIn))
		case !c.ExpiresAt.IsZero():
			request.ExpiresAt = &c.ExpiresAt
		}
		token, err := server.Functions.CreateToken(request, scw.WithContext(ctx))
		if err != nil {
			return fmt.Errorf("create token: %w", err)
		}
		if c.json() {
			return printJSON(s.out, token)
		}
		if isTerminal(s.out) {
			fmt.Fprintf(s.err, "Token %s expires %s. It is not shown again.\n", token.ID, formatTime(token.ExpiresAt, "never"))
		}
		_, err = fmt.Fprintln(s.out, token.Token)
		return err
	})
}

// revokeTokenCommand revokes tokens.
type revokeTokenCommand struct {
	Tokens []string `arg:"" name:"id" help:"IDs of the tokens: ID or REGION/ID."`
	remoteCommand
}

// Run revokes the tokens. After the command, no call with one of them is admitted.
func (c *revokeTokenCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		for _, id := range c.Tokens {
			if err := server.RevokeToken(ctx, id); err != nil {
				return err
			}
			fmt.Fprintf(s.out, "token %s is revoked\n", id)
		}
		return nil
	})
}

// listTokensCommand lists the tokens of a function or of a namespace.
type listTokensCommand struct {
	Scope     string `arg:"" optional:"" name:"function" help:"Function of the tokens: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	Namespace string `env:"-" help:"Namespace of the tokens, instead of a function: NAME, ID or REGION/ID." placeholder:"NAMESPACE"`
	Function  string `env:"-" help:"Same as the argument." hidden:"" placeholder:"FUNCTION"`
	remoteCommand
	outputFlags
}

// Run prints a table. The times of creation and last use are known for a server of this machine,
// whose owner can also list the tokens of other projects by ID.
func (c *listTokensCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if c.Scope == "" {
		c.Scope = c.Function
	}
	if (c.Scope == "") == (c.Namespace == "") {
		return errors.New("list tokens: name either a function or a --namespace")
	}
	return c.withServer(line, func(server *remote.Server) error {
		if tokens, ok := c.stored(ctx, line.DataDir, server, c.byID()); ok {
			return c.printTokens(s, tokens, true)
		}
		request, err := c.request(ctx, server)
		if err != nil {
			return err
		}
		if tokens, ok := c.stored(ctx, line.DataDir, server, request); ok {
			return c.printTokens(s, tokens, true)
		}
		list, err := server.Functions.ListTokens(request, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return fmt.Errorf("list tokens: %w", err)
		}
		return c.printTokens(s, known(list.Tokens), false)
	})
}

// byID returns the request for the tokens of the IDs on the command line; without names.
func (c *listTokensCommand) byID() *function.ListTokensRequest {
	request := &function.ListTokensRequest{}
	if id := bareID(c.Scope); uuid.Validate(id) == nil {
		request.FunctionID = &id
	}
	if id := bareID(c.Namespace); uuid.Validate(id) == nil {
		request.NamespaceID = &id
	}
	return request
}

// printTokens prints tokens. timed means that the times of creation and last use are known.
func (c *listTokensCommand) printTokens(s streams, all []admin.Token, timed bool) error {
	return c.print(s.out, all, "TOKEN\tCREATED\tEXPIRES\tLAST USED\tISSUER\tADOPTED\tDESCRIPTION", rows(all, func(t admin.Token) []string {
		created, used := "unknown", "unknown"
		if timed {
			created, used = formatTime(&t.CreatedAt, ""), formatTime(t.LastUsedAt, "never")
		}
		return []string{
			t.ID, created, formatTime(t.ExpiresAt, "never"), used, cmp.Or(t.Issuer, "this server"), adoption(t), t.Description,
		}
	}))
}

// known returns what the API says about tokens.
func known(tokens []*function.Token) []admin.Token {
	all := make([]admin.Token, len(tokens))
	for i, t := range tokens {
		all[i] = admin.Token{
			ID: t.ID, FunctionID: text(t.FunctionID), NamespaceID: text(t.NamespaceID), ExpiresAt: t.ExpiresAt, Description: text(t.Description),
		}
	}
	return all
}

// request returns the request for the tokens that the flags select.
func (c *listTokensCommand) request(ctx context.Context, server *remote.Server) (*function.ListTokensRequest, error) {
	if c.Namespace != "" {
		n, err := server.Namespace(ctx, c.Namespace)
		if err != nil {
			return nil, err
		}
		return &function.ListTokensRequest{Region: n.Region, NamespaceID: &n.ID}, nil
	}
	f, err := server.Function(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	return &function.ListTokensRequest{Region: f.Function.Region, FunctionID: &f.Function.ID}, nil
}
