package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jeton-dev/jeton/internal/admin"
)

// foreignCommand shows and sets whether an imported namespace accepts the tokens of the
// service that it was imported from, and removes imported keys.
type foreignCommand struct {
	Namespace string `help:"Namespace of the tokens (ID)." required:"" placeholder:"ID"`
	Accept    bool   `help:"Accept the tokens (the state after an import)." xor:"foreign"`
	Refuse    bool   `help:"Refuse the tokens, including those that were used already." xor:"foreign"`
	RemoveKey string `help:"Remove the imported key with this fingerprint." xor:"foreign" placeholder:"FINGERPRINT"`
}

// Help implements kong.HelpProvider.
func (*foreignCommand) Help() string {
	return "Without a change, it prints the state and the fingerprints of the imported keys. After --remove-key, all tokens of the issuer are verified again at their next use, with the keys that remain."
}

// Run changes the setting, which has an effect on calls before it returns, and prints the
// state.
func (c *foreignCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	id := bareID(c.Namespace)
	now, err := callAdmin(line.DataDir, "change the acceptance of tokens", func(client *admin.Client) (admin.ForeignTokens, error) {
		switch {
		case c.Accept || c.Refuse:
			return client.AcceptForeign(ctx, id, c.Accept)
		case c.RemoveKey != "":
			return client.RemoveForeignKey(ctx, id, c.RemoveKey)
		}
		return client.ForeignTokens(ctx, id)
	})
	if err != nil {
		return err
	}
	return printForeign(s.out, now)
}

func printForeign(out io.Writer, now admin.ForeignTokens) error {
	verb := "refuses"
	if now.Accepted {
		verb = "accepts"
	}
	fmt.Fprintf(out, "namespace %s %s tokens of %s (%d keys)\n", now.NamespaceID, verb, now.Issuer, now.Keys)
	for _, fingerprint := range now.Fingerprints {
		fmt.Fprintf(out, "key %s\n", fingerprint)
	}
	return nil
}
