package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/printable"
	"github.com/jeton-dev/jeton/internal/remote"
)

// readFiles prints the logs in a data directory whose server does not run.
func (c *logsCommand) readFiles(ctx context.Context, dataDir string, s streams) error {
	dir := filepath.Join(dataDir, output.Dir)
	f, err := c.find(dir)
	if err != nil {
		return err
	}
	if c.Build {
		return printBuildLog(s.out, dir, f)
	}
	out := newTerminal(s.out)
	report := func(e output.Entry, _ []byte) error { return c.printLog(s.out, out, lineOf(e)) }
	if c.Follow {
		return output.Follow(ctx, dir, f.ID, c.Since.Time, report)
	}
	var lines []remote.LogLine
	err = output.Read(dir, f.ID, c.Since.Time, func(e output.Entry, _ []byte) error {
		lines = append(lines, lineOf(e))
		return nil
	})
	if err != nil {
		return err
	}
	if c.Tail > 0 {
		lines = lines[max(0, len(lines)-c.Tail):]
	}
	for _, line := range lines {
		if err := c.printLog(s.out, out, line); err != nil {
			return err
		}
	}
	return nil
}

func lineOf(e output.Entry) remote.LogLine {
	return remote.LogLine{
		Message: e.Text, Timestamp: e.At, Stream: e.Stream, RevisionID: e.Revision, InstanceID: e.Instance, RequestID: e.RequestID,
	}
}

// find returns the function with the name or ID of the command line. The files do not have the
// names of namespaces.
func (c *logsCommand) find(dir string) (output.Function, error) {
	found, err := output.Find(dir, c.Function)
	if name := c.Function[strings.LastIndexByte(c.Function, '/')+1:]; err == nil && len(found) == 0 {
		found, err = output.Find(dir, name)
	}
	switch {
	case err != nil:
		return output.Function{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return output.Function{}, fmt.Errorf("find function %q: no logs in %s, and no server uses it: check the name, start 'jeton serve', or set --data-dir",
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
	_, err = io.WriteString(out, printable.Text(text))
	return err
}
