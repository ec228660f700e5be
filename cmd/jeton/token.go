package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/token"
)

// tokenCommand groups the commands for tokens.
type tokenCommand struct {
	Create  createTokenCommand `cmd:"" help:"Create a token for a function or a namespace and print it; it is shown only once."`
	List    listTokensCommand  `cmd:"" help:"List the tokens of a namespace or function with their last use."`
	Revoke  revokeTokenCommand `cmd:"" help:"Revoke tokens; calls with them are denied once the command has ended."`
	Foreign foreignCommand     `cmd:"" help:"Show, accept or refuse tokens of another issuer, and remove its keys."`
	Inspect inspectCommand     `cmd:"" help:"Print the claims of a token, unverified and offline."`
	Verify  verifyCommand      `cmd:"" help:"Verify signature, times and revocation of a token."`
}

// tokenArgument is a token on the command line, or on standard input: an argument is
// visible in the process list while the command runs.
type tokenArgument struct {
	Token string `arg:"" optional:"" default:"-" help:"Token; - (default) reads standard input, which hides it from the process list."`
}

// maxInput is the maximum size of a token on standard input in bytes.
const maxInput = 64 << 10

func (a tokenArgument) read(in io.Reader) (token.Text, error) {
	text := a.Token
	if text == "-" {
		content, err := io.ReadAll(io.LimitReader(in, maxInput))
		if err != nil {
			return token.Text{}, fmt.Errorf("read the token: %w", err)
		}
		text = string(content)
	}
	return token.Parse(strings.TrimSpace(text))
}

// inspectCommand prints the claims of a token.
type inspectCommand struct {
	tokenArgument
}

// Help implements kong.HelpProvider.
func (*inspectCommand) Help() string { return "Example: jeton token inspect <token.txt" }

// Run prints the header and the claims of the token, and their meaning.
func (c *inspectCommand) Run(s streams) error {
	t, err := c.read(s.in)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "header  %s\nclaims  %s\n\n", indented(t.Header), indented(t.Claims))
	printMeaning(s.out, t, time.Now())
	fmt.Fprintln(s.out, "\nNot verified: use 'jeton token verify'.")
	return nil
}

func indented(object []byte) string {
	var out bytes.Buffer
	// Parse has checked that object is JSON.
	_ = json.Indent(&out, object, "", "  ")
	return out.String()
}

func printMeaning(out io.Writer, t token.Text, now time.Time) {
	fmt.Fprintf(out, "token    %s\n", t.ID)
	fmt.Fprintf(out, "scope    %s\n", scopeInWords(t))
	fmt.Fprintf(out, "issued   %s\n", instantInWords(t.IssuedAt, now))
	if t.ExpiresAt.IsZero() {
		fmt.Fprintln(out, "expires  never")
		return
	}
	fmt.Fprintf(out, "expires  %s\n", instantInWords(t.ExpiresAt, now))
}

func scopeInWords(t token.Text) string {
	switch {
	case t.FunctionID != "" && t.NamespaceID != "":
		return fmt.Sprintf("function %s and namespace %s (invalid: a token has only one of them)", t.FunctionID, t.NamespaceID)
	case t.FunctionID != "":
		return "the function " + t.FunctionID
	case t.NamespaceID != "":
		return "all private functions of the namespace " + t.NamespaceID
	}
	return "none"
}

func instantInWords(at, now time.Time) string {
	if at.IsZero() {
		return "unknown"
	}
	distance := now.Sub(at)
	words := inWords(distance.Abs())
	if distance < 0 {
		return fmt.Sprintf("%s, in %s", at.Format(time.RFC3339), words)
	}
	return fmt.Sprintf("%s, %s ago", at.Format(time.RFC3339), words)
}

// inWords returns a duration in the largest unit that it contains at least twice.
func inWords(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * day, "years"}, {day, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if n := d / unit.length; n >= 2 {
			return fmt.Sprintf("%d %s", n, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
