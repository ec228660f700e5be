package main

import (
	"cmp"
	"context"

	"github.com/jeton-dev/jeton/internal/admin"
)

// listTokensCommand lists tokens of any project: it uses the admin socket.
type listTokensCommand struct {
	Namespace string `help:"Namespace of the tokens (ID)." required:"" xor:"scope" placeholder:"ID"`
	Function  string `help:"Function of the tokens (ID)." required:"" xor:"scope" placeholder:"ID"`
	listing
}

// Run prints a table.
func (c *listTokensCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	all, err := callAdmin(line.DataDir, "list tokens", func(client *admin.Client) ([]admin.Token, error) {
		return client.Tokens(ctx, c.Namespace, c.Function)
	})
	if err != nil {
		return err
	}
	return c.print(s.out, all, "TOKEN\tCREATED\tEXPIRES\tLAST USED\tISSUER\tADOPTED\tDESCRIPTION", rows(all, func(t admin.Token) []string {
		return []string{t.ID, formatTime(&t.CreatedAt, ""), formatTime(t.ExpiresAt, "never"), formatTime(t.LastUsedAt, "never"), cmp.Or(t.Issuer, "this server"), adoption(t), t.Description}
	}))
}

// adoption returns when an imported token was first used.
func adoption(t admin.Token) string {
	if t.Issuer == "" {
		return "-"
	}
	return formatTime(t.AdoptedAt, "no")
}
