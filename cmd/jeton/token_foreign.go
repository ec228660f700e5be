package main

import (
	"context"
	"fmt"

	"github.com/jeton-dev/jeton/internal/admin"
)

// foreignCommand sets whether an imported namespace accepts the tokens of the service that
// it was imported from.
type foreignCommand struct {
	Namespace string `help:"Namespace of the tokens (ID)." required:"" placeholder:"ID"`
	Accept    bool   `help:"Accept the tokens (the state after an import)." xor:"foreign" required:""`
	Refuse    bool   `help:"Refuse the tokens, including those that were used already." xor:"foreign" required:""`
}

// Run changes the setting, which has an effect on calls before it returns.
func (c *foreignCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	changed, err := callAdmin(line.DataDir, "change the acceptance of tokens", func(client *admin.Client) (admin.ForeignTokens, error) {
		return client.AcceptForeign(ctx, bareID(c.Namespace), c.Accept)
	})
	if err != nil {
		return err
	}
	verb := "refuses"
	if changed.Accepted {
		verb = "accepts"
	}
	fmt.Fprintf(s.out, "namespace %s %s tokens of %s (%d keys)\n", changed.NamespaceID, verb, changed.Issuer, changed.Keys)
	return nil
}
