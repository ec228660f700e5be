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

// logsCommand prints the output of a function.
type logsCommand struct {
	Function string `arg:"" help:"Name or ID of the function."`
	Since    moment `help:"Start of the output: a time (2027-01-31T12:00:00Z) or an age (10m)." placeholder:"TIME|DURATION"`
	Follow   bool   `help:"Wait for new lines and print them." short:"f"`
	Build    bool   `help:"Print the log of the latest build."`
	JSON     bool   `name:"json" help:"Print one JSON object per line."`
}

// Run prints the lines, oldest first. It needs no running server.
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
			e.At.Local().Format(time.RFC3339), e.Instance, cmp.Or(e.RequestID, "-"), e.Stream, escapeControls(e.Text))
		return err
	}
	if c.Follow {
		return output.Follow(ctx, dir, f.ID, c.Since.Time, report)
	}
	return output.Read(dir, f.ID, c.Since.Time, report)
}

// find returns the function with the name or ID of the command line.
func (c *logsCommand) find(dir string) (output.Function, error) {
	found, err := output.Find(dir, c.Function)
	switch {
	case err != nil:
		return output.Function{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return output.Function{}, fmt.Errorf("find function %q: no logs in %s: check the name, or set --data-dir",
			c.Function, filepath.Dir(dir))
	}
	several := make([]string, len(found))
	for i, f := range found {
		several[i] = f.ID + " of namespace " + f.Namespace
	}
	return output.Function{}, fmt.Errorf("find function %q: several functions have that name: pass an ID: %s", c.Function, strings.Join(several, ", "))
}

func printBuildLog(out io.Writer, dir string, f output.Function) error {
	text, ok, err := output.BuildLog(dir, f.ID)
	if err == nil && !ok {
		err = fmt.Errorf("function %s has no build log", f.Name)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, escapeControls(text))
	return err
}

// escapeControls replaces control characters, except newline and tab, by \xNN. The output
// of a function may contain data of its callers, which must not control the terminal.
func escapeControls(text string) string {
	isControl := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if !strings.ContainsFunc(text, isControl) {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		if isControl(r) {
			fmt.Fprintf(&escaped, "\\x%02x", r)
			continue
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}
