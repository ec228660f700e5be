package main

import (
	"context"
	"fmt"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
)

// createTokenCommand creates a token and prints it.
type createTokenCommand struct {
	Function    string        `arg:"" optional:"" help:"Function of the token: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	Namespace   string        `help:"Namespace of the token, instead of a function: NAME, ID or REGION/ID." placeholder:"NAMESPACE"`
	ExpiresIn   time.Duration `help:"Lifetime of the token, such as 720h (default: unlimited)." xor:"expiry" placeholder:"DURATION"`
	ExpiresAt   time.Time     `help:"Expiry of the token, such as 2027-01-31T12:00:00Z (default: never)." xor:"expiry" placeholder:"TIME"`
	Description string        `help:"Description of the token." placeholder:"TEXT"`
	remoteCommand
	outputFlags
}

// Run prints the token alone on standard output, for use in $(...).
func (c *createTokenCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if (c.Function == "") == (c.Namespace == "") {
		return fmt.Errorf("create token: name either a function or a --namespace")
	}
	if c.ExpiresIn < 0 {
		return fmt.Errorf("create token: --expires-in must be positive")
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
	Namespace string `help:"Namespace of the tokens, instead of a function: NAME, ID or REGION/ID." placeholder:"NAMESPACE"`
	Function  string `help:"Same as the argument." hidden:"" placeholder:"FUNCTION"`
	remoteCommand
	outputFlags
}

// listedToken is a token with the times that only the admin socket has.
type listedToken struct {
	*function.Token

	CreatedAt  *time.Time `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Run prints a table. The times of creation and last use are known for a server of this machine.
func (c *listTokensCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if c.Scope == "" {
		c.Scope = c.Function
	}
	if (c.Scope == "") == (c.Namespace == "") {
		return fmt.Errorf("list tokens: name either a function or a --namespace")
	}
	return c.withServer(line, func(server *remote.Server) error {
		request, err := c.request(ctx, server)
		if err != nil {
			return err
		}
		list, err := server.Functions.ListTokens(request, scw.WithContext(ctx), scw.WithAllPages())
		if err != nil {
			return fmt.Errorf("list tokens: %w", err)
		}
		stored := c.stored(ctx, line.DataDir, server, request)
		all := make([]listedToken, len(list.Tokens))
		for i, t := range list.Tokens {
			all[i] = listedToken{Token: t}
			if s, ok := stored[t.ID]; ok {
				all[i].CreatedAt, all[i].LastUsedAt = &s.CreatedAt, s.LastUsedAt
			}
		}
		return c.print(s.out, all, "TOKEN\tCREATED\tEXPIRES\tLAST USED\tDESCRIPTION", rows(all, func(t listedToken) []string {
			last := "unknown"
			if stored != nil {
				last = formatTime(t.LastUsedAt, "never")
			}
			return []string{t.ID, formatTime(t.CreatedAt, "unknown"), formatTime(t.ExpiresAt, "never"), last, escapeControls(text(t.Description))}
		}))
	})
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
