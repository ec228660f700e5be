package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/jeton-dev/jeton/internal/output"
)

// logsCommand prints what a function has printed.
type logsCommand struct {
	Function string `arg:"" help:"The function's name or ID."`
	Since    moment `help:"Begin here: a time such as 2027-01-31T12:00:00Z, or how long ago, such as 10m." placeholder:"TIME|DURATION"`
	Follow   bool   `help:"Go on with what is printed from now on." short:"f"`
	Build    bool   `help:"Print the log of the latest build instead."`
	JSON     bool   `name:"json" help:"Print one JSON object a line, for programs."`
}

// Run prints one line a line, oldest first. It needs no running server.
func (c *logsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	dir := filepath.Join(line.DataDir, output.Dir)
	f, err := c.find(dir)
	if err != nil {
		return err
	}
	if c.Build {
		return printBuildLog(s.out, dir, f)
	}
	report := func(e output.Entry, asJSON []byte) error {
		if c.JSON {
			_, err := fmt.Fprintf(s.out, "%s\n", asJSON)
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s  %s  %-36s  %s  %s\n",
			e.At.Local().Format(time.RFC3339), e.Instance, cmp.Or(e.RequestID, "-"), e.Stream, harmless(e.Text))
		return err
	}
	if c.Follow {
		return output.Follow(ctx, dir, f.ID, c.Since.Time, report)
	}
	return output.Read(dir, f.ID, c.Since.Time, report)
}

// find returns the one function that is meant.
func (c *logsCommand) find(dir string) (output.Function, error) {
	found, err := output.Find(dir, c.Function)
	switch {
	case err != nil:
		return output.Function{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return output.Function{}, fmt.Errorf("there are no logs of a function %q in %s: name one that was deployed, or another folder with --data-dir",
			c.Function, filepath.Dir(dir))
	}
	several := make([]string, len(found))
	for i, f := range found {
		several[i] = f.ID + " of namespace " + f.Namespace
	}
	return output.Function{}, fmt.Errorf("several functions are called %q, give the ID of one: %s", c.Function, strings.Join(several, ", "))
}

func printBuildLog(out io.Writer, dir string, f output.Function) error {
	text, ok, err := output.BuildLog(dir, f.ID)
	if err == nil && !ok {
		err = fmt.Errorf("function %s was never built", f.Name)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, harmless(text))
	return err
}

// harmless shows control characters instead of having the terminal obey them: what a
// function prints is its author's, and may repeat what its callers have sent.
func harmless(text string) string {
	obeyed := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if !strings.ContainsFunc(text, obeyed) {
		return text
	}
	var shown strings.Builder
	for _, r := range text {
		if obeyed(r) {
			fmt.Fprintf(&shown, "\\x%02x", r)
			continue
		}
		shown.WriteRune(r)
	}
	return shown.String()
}
