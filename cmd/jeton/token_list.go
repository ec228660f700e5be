package main

import (
	"context"

	"github.com/jeton-dev/jeton/internal/admin"
)

// listTokensCommand lists tokens, of any project: it is the owner of the server
// who asks.
type listTokensCommand struct {
	Namespace string `help:"Those that were made for this namespace, by its ID." required:"" xor:"scope" placeholder:"ID"`
	Function  string `help:"Those that were made for this function, by its ID." required:"" xor:"scope" placeholder:"ID"`
	listing
}

// Run prints a table.
func (c *listTokensCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := ask(line.DataDir, "list the tokens", func(client *admin.Client) ([]admin.Token, error) {
		return client.Tokens(ctx, c.Namespace, c.Function)
	})
	if err != nil {
		return err
	}
	return c.print(s.out, all, "TOKEN\tCREATED\tEXPIRES\tLAST USED\tDESCRIPTION", rows(all, func(t admin.Token) []string {
		return []string{t.ID, orWord(&t.CreatedAt, ""), orWord(t.ExpiresAt, "never"), orWord(t.LastUsedAt, "never"), t.Description}
	}))
}
