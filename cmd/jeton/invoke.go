package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/printable"
	"github.com/jeton-dev/jeton/internal/remote"
)

// invokeCommand calls a function.
type invokeCommand struct {
	Function string        `arg:"" help:"Function: NAME, NAMESPACE/NAME, ID or REGION/ID."`
	Path     string        `arg:"" optional:"" default:"/" help:"Path and query of the call (default /)."`
	Method   string        `env:"-" short:"X" aliases:"request" help:"Method of the call (default: GET, or POST with -d)." placeholder:"METHOD"`
	Header   []string      `env:"-" short:"H" sep:"none" help:"Header of the call, as NAME: VALUE. Can be repeated." placeholder:"HEADER"`
	Data     string        `env:"-" short:"d" help:"Body of the call. @FILE reads a file, and @- standard input." placeholder:"DATA"`
	Logs     bool          `env:"-" help:"Print the log lines of the call to standard error." default:"true" negatable:""`
	Fail     bool          `env:"-" help:"Return exit status 1 for a response of 400 or higher." short:"f"`
	Timeout  time.Duration `env:"-" help:"Maximum time of the call." default:"16m" placeholder:"DURATION"`
	remoteCommand
	outputFlags
}

// Help implements kong.HelpProvider.
func (*invokeCommand) Help() string {
	return `For a private function the command creates a token for one minute and revokes it after the call. The body of the response goes to standard output; status, time, cold or warm start, and the log lines of the call go to standard error.`
}

// invocation is the result of a call as JSON.
type invocation struct {
	Status    int              `json:"status"`
	Took      float64          `json:"milliseconds"`
	Instance  string           `json:"instance"`
	RequestID string           `json:"request_id"`
	Header    http.Header      `json:"headers"`
	Body      string           `json:"body"`
	Logs      []remote.LogLine `json:"logs"`
}

// Run calls the function.
func (c *invokeCommand) Run(ctx context.Context, line *commandLine, s streams) error {
	return c.withServer(line, func(server *remote.Server) error {
		ctx, cancel := context.WithTimeout(ctx, c.Timeout)
		defer cancel()
		found, err := server.Function(ctx, c.Function)
		if err != nil {
			return err
		}
		info, err := server.Info(ctx)
		if err != nil {
			return err
		}
		request, err := c.request(s.in)
		if err != nil {
			return err
		}
		began := time.Now()
		call, done, err := server.Invoke(ctx, info, found.Function, request)
		if err != nil {
			return err
		}
		defer call.Response.Body.Close()
		lines := c.collect(ctx, server, found, request.RequestID, began)
		err = c.report(s, call, request.RequestID, lines)
		if err = errors.Join(err, done()); err == nil && c.Fail && call.Response.StatusCode >= http.StatusBadRequest {
			err = fmt.Errorf("call function %s: status %s", found.Name(), call.Response.Status)
		}
		return err
	})
}

// request returns the call that the flags describe.
func (c *invokeCommand) request(in io.Reader) (remote.CallRequest, error) {
	r := remote.CallRequest{Method: c.Method, Path: c.Path, Header: http.Header{}, RequestID: uuid.NewString()}
	for _, header := range c.Header {
		name, value, ok := strings.Cut(header, ":")
		if !ok {
			return r, fmt.Errorf("header %q must have the form NAME: VALUE", header)
		}
		r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	switch file, ok := strings.CutPrefix(c.Data, "@"); {
	case ok && file == "-":
		content, err := io.ReadAll(in)
		if err != nil {
			return r, fmt.Errorf("read the body: %w", err)
		}
		r.Body = strings.NewReader(string(content))
	case ok:
		content, err := os.ReadFile(file)
		if err != nil {
			return r, fmt.Errorf("read the body: %w", err)
		}
		r.Body = strings.NewReader(string(content))
	case c.Data != "":
		r.Body = strings.NewReader(c.Data)
	}
	if r.Method == "" {
		r.Method = http.MethodGet
		if r.Body != nil {
			r.Method = http.MethodPost
		}
	}
	if r.Body != nil && r.Header.Get("Content-Type") == "" {
		// The default of curl.
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(strings.TrimSpace(c.Data), "{") || strings.HasPrefix(strings.TrimSpace(c.Data), "[") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	return r, nil
}

const (
	// logSkew is how much earlier than the call the server's clock may show its lines.
	logSkew = 5 * time.Minute
	// logWait is how long the log lines of a call may take to arrive after its response.
	logWait = 250 * time.Millisecond
)

// collect returns the log lines of a call. A failure is not that of the call: it results in no
// lines.
func (c *invokeCommand) collect(ctx context.Context, server *remote.Server, found remote.Found, requestID string, began time.Time) []remote.LogLine {
	if !c.Logs {
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(logWait):
	}
	var lines []remote.LogLine
	_ = server.Logs(ctx, found.Function, remote.LogQuery{Since: began.Add(-logSkew)}, func(line remote.LogLine) error {
		if line.RequestID == requestID {
			lines = append(lines, line)
		}
		return nil
	})
	return lines
}

// report prints the response and its log lines.
func (c *invokeCommand) report(s streams, call remote.Call, requestID string, lines []remote.LogLine) error {
	response := call.Response
	if c.json() {
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return fmt.Errorf("read the response: %w", err)
		}
		return printJSON(s.out, invocation{
			Status: response.StatusCode, Took: float64(call.Took.Microseconds()) / 1000, Instance: call.Instance, RequestID: requestID,
			Header: response.Header, Body: string(body), Logs: lines,
		})
	}
	out := newTerminal(s.err)
	code := green
	if response.StatusCode >= http.StatusBadRequest {
		code = red
	}
	out.printf("%s  %s  %s  request %s", out.colour(code, response.Status), call.Took.Round(100*time.Microsecond), call.Instance, requestID)
	for _, line := range lines {
		printLine(out, line)
	}
	last := &lastByte{out: s.out}
	if _, err := io.Copy(last, response.Body); err != nil {
		return fmt.Errorf("read the response: %w", err)
	}
	if isTerminal(s.out) && last.byte != '\n' {
		fmt.Fprintln(s.out)
	}
	return nil
}

// lastByte remembers the last byte that was written to out.
type lastByte struct {
	out  io.Writer
	byte byte
}

func (l *lastByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.byte = p[len(p)-1]
	}
	return l.out.Write(p)
}

// printLine prints a log line of a call without its request ID.
func printLine(out *terminal, line remote.LogLine) {
	text := printable.Text(line.Message)
	switch line.Stream {
	case remote.Stderr:
		text = out.colour(yellow, text)
	case remote.System:
		text = out.colour(red, text)
	}
	out.printf("%s", out.colour(dim, line.Timestamp.Local().Format("15:04:05.000")+" "+fmt.Sprintf("%-6s", line.Stream)+" ")+text)
}
