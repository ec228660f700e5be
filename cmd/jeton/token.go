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

// tokenCommand holds the commands about tokens.
type tokenCommand struct {
	List    listTokensCommand `cmd:"" help:"List the tokens of the running server that were made for a namespace or for a function, with their last use."`
	Inspect inspectCommand    `cmd:"" help:"Print what a token says, without verifying it: jeton token inspect <token.txt. Nothing is asked of any server."`
	Verify  verifyCommand     `cmd:"" help:"Verify a token's signature and times, and ask whether it has been revoked: jeton token verify <token.txt."`
}

// tokenArgument is a token that a command is given. As an argument it can be
// seen in the process list while the command runs.
type tokenArgument struct {
	Token string `arg:"" optional:"" default:"-" help:"The token, or - to read it from the standard input (the default, and what keeps it out of the process list)."`
}

// maxInput bounds what is read, in bytes.
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

// inspectCommand prints what a token says.
type inspectCommand struct {
	tokenArgument
}

// Run prints the token's parts and, in words, what they mean.
func (c *inspectCommand) Run(s streams) error {
	t, err := c.read(s.in)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "header  %s\nclaims  %s\n\n", indented(t.Header), indented(t.Claims))
	printMeaning(s.out, t, time.Now())
	fmt.Fprintln(s.out, "\nNothing of this has been verified: 'jeton token verify' does that.")
	return nil
}

func indented(object []byte) string {
	var out bytes.Buffer
	// Parse has made sure that it is JSON.
	_ = json.Indent(&out, object, "", "  ")
	return out.String()
}

func printMeaning(out io.Writer, t token.Text, now time.Time) {
	fmt.Fprintf(out, "token    %s\n", t.ID)
	fmt.Fprintf(out, "opens    %s\n", scopeInWords(t))
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
		return fmt.Sprintf("function %s and namespace %s, which no function token does", t.FunctionID, t.NamespaceID)
	case t.FunctionID != "":
		return "the function " + t.FunctionID
	case t.NamespaceID != "":
		return "all private functions of the namespace " + t.NamespaceID
	}
	return "nothing"
}

func instantInWords(at, now time.Time) string {
	if at.IsZero() {
		return "it does not say when"
	}
	distance := now.Sub(at)
	words := inWords(distance.Abs())
	if distance < 0 {
		return fmt.Sprintf("%s, in %s", at.Format(time.RFC3339), words)
	}
	return fmt.Sprintf("%s, %s ago", at.Format(time.RFC3339), words)
}

// inWords is about how long that is, in the largest unit of which there are two.
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
