package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/printable"
	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/server"
)

// logsCommand prints the output of a function.
type logsCommand struct {
	Function string `arg:"" help:"Function: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	Since    moment `env:"-" help:"Start of the output: a time (2027-01-31T12:00:00Z) or an age (10m)." placeholder:"TIME|DURATION"`
	Tail     int    `env:"-" help:"Maximum number of lines, counted from the newest (default: all)." placeholder:"N"`
	Follow   bool   `env:"-" help:"Wait for new lines and print them." short:"f"`
	Build    bool   `env:"-" help:"Print the log of the latest build, and follow it while the build runs."`
	remoteCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*logsCommand) Help() string {
	return "The columns are time, instance, request ID, stream and text. The stream is stdout, stderr, or system for messages of the server. With -o json, each line is an object.\n\nWithout a running server, the command reads the files of the data directory."
}

// Run prints the lines, oldest first.
func (c *logsCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	if c.Tail < 0 {
		return fmt.Errorf("print logs: --tail must be positive")
	}
	if c.offline(line.DataDir) {
		return c.readFiles(ctx, line.DataDir, s)
	}
	return c.withServer(line, func(server *remote.Server) error {
		found, err := server.Function(ctx, c.Function)
		if err != nil {
			return err
		}
		if c.Build {
			return followBuild(ctx, server, found.Function, s.out)
		}
		out := newTerminal(s.out)
		query := remote.LogQuery{Since: c.Since.Time, Tail: c.Tail, Follow: c.Follow}
		return server.Logs(ctx, found.Function, query, func(l remote.LogLine) error { return c.printLog(s.out, out, l) })
	})
}

// offline reports whether the server of the data directory is selected and does not run.
func (c *logsCommand) offline(dataDir string) bool {
	if c.APIURL != "" || c.Profile != "" || c.Credentials != "" || server.Serving(dataDir) {
		return false
	}
	return dataDir != server.DefaultDataDir() || os.Getenv(scw.ScwAPIURLEnv) == ""
}

// printLog prints one line.
func (c *logsCommand) printLog(out io.Writer, t *terminal, l remote.LogLine) error {
	if c.json() {
		encoded, err := json.Marshal(l)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", encoded)
		}
		return err
	}
	text := printable.Text(l.Message)
	switch l.Stream {
	case remote.Stderr:
		text = t.colour(yellow, text)
	case remote.System:
		text = t.colour(red, text)
	}
	prefix := fmt.Sprintf("%s  %s  %-36s  %s", l.Timestamp.Local().Format(time.RFC3339), l.InstanceID, cmp.Or(l.RequestID, "-"), l.Stream)
	_, err := fmt.Fprintf(out, "%s  %s\n", t.colour(dim, prefix), text)
	return err
}

// buildPoll is the time between two requests for the log of a running build.
const buildPoll = 200 * time.Millisecond

// followBuild prints the log of the latest build, and of a running build until it ends.
func followBuild(ctx context.Context, server *remote.Server, f *function.Function, out io.Writer) error {
	printed := ""
	for {
		current, err := server.Functions.GetFunction(&function.GetFunctionRequest{Region: f.Region, FunctionID: f.ID}, scw.WithContext(ctx))
		if err != nil {
			return fmt.Errorf("get function %s: %w", f.Name, err)
		}
		log, err := server.BuildLog(ctx, f)
		if err != nil {
			return err
		}
		fresh := log.Log
		if strings.HasPrefix(log.Log, printed) {
			fresh = log.Log[len(printed):]
		}
		if _, err := io.WriteString(out, printable.Text(fresh)); err != nil {
			return err
		}
		printed = log.Log
		if current.Status != function.FunctionStatusPending && current.Status != function.FunctionStatusCreating {
			if printed == "" {
				return fmt.Errorf("function %s has no build log: it was never built", f.Name)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(buildPoll):
		}
	}
}
