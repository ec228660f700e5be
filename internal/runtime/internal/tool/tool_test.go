package tool_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

func shell(script string) tool.Command {
	return tool.Command{Args: []string{"/bin/sh", "-c", script}, Timeout: 20 * time.Second}
}

func TestRun_ReturnsOutput(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := shell("echo out; echo err >&2; pwd; echo $NAME; env")
	c.Dir, c.Env, c.Log = "/", []string{"NAME=value"}, &log
	out, err := tool.Run(t.Context(), c)
	if err != nil || !strings.HasPrefix(out, "out\nerr\n/\nvalue\n") {
		t.Errorf("Run() = %q, %v, want the output of all commands", out, err)
	}
	if strings.Contains(out, "HOME=") {
		t.Errorf("got environment %q, want none of the server's", out)
	}
	if log.String() != out {
		t.Errorf("got log %q, want %q", log.String(), out)
	}
}

func TestRun_ReturnsFailure(t *testing.T) {
	t.Parallel()
	_, err := tool.Run(t.Context(), shell("echo wrong; exit 3"))
	var failure *tool.Failure
	if !errors.As(err, &failure) || failure.Output != "wrong\n" || failure.Error() != "exit status 3" {
		t.Errorf("Run() = %#v, want a *Failure", err)
	}
	_, err = tool.Run(t.Context(), tool.Command{Args: []string{"/no/such/tool"}, Timeout: time.Second})
	if err == nil || errors.As(err, &failure) {
		t.Errorf("Run() of a missing program = %v, want an error other than a *Failure", err)
	}
}

// A tool prints 8 MiB at once and then 1 MiB per second.
func TestRun_LimitsTheRateOfOutput(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := shell("yes | head -c 14680064")
	c.Timeout, c.Log = 2*time.Second, &log
	if _, err := tool.Run(t.Context(), c); !errors.Is(err, tool.ErrTimeout) {
		t.Errorf("Run() of a tool that prints 14 MiB in 2 s = %v, want %v", err, tool.ErrTimeout)
	}
	if got := log.Len(); got == 0 || got > 11<<20 {
		t.Errorf("got %d bytes of output in 2 s, want at most 8 MiB and 1 MiB per second", got)
	}
}

// A child of the tool keeps the output open.
func TestRun_EndsTheToolWithItsChildren(t *testing.T) {
	t.Parallel()
	c := shell("sleep 300 & sleep 300")
	c.Timeout = 50 * time.Millisecond
	if _, err := tool.Run(t.Context(), c); !errors.Is(err, tool.ErrTimeout) {
		t.Errorf("Run() after the timeout = %v, want %v", err, tool.ErrTimeout)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tool.Run(ctx, shell("sleep 300 & sleep 300")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run() after the end of its context = %v, want %v", err, context.DeadlineExceeded)
	}
}

func TestRun_KeepsTheEndOfTheOutput(t *testing.T) {
	t.Parallel()
	out, err := tool.Run(t.Context(), shell("head -c 300000 /dev/zero | tr '\\0' x; echo end"))
	if err != nil || len(out) > 64<<10 || !strings.HasSuffix(out, "xend\n") {
		t.Errorf("Run() = %d bytes, %v, want the last 64 KiB", len(out), err)
	}
}

func TestExcerpt_IsShortAndHasNoPaths(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		output string
		lines  int
		want   string
	}{
		"all lines":     {"\none\ntwo\n", 5, "one\ntwo"},
		"last lines":    {"one\ntwo\nthree", 2, "two\nthree"},
		"without paths": {"/data/x/a.go:1: no\n/cache/b.go: no", 5, "a.go:1: no\nb.go: no"},
		"long lines":    {strings.Repeat("é", 5000), 5, strings.Repeat("é", 2048)},
		"no output":     {"", 5, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tool.Excerpt(test.output, test.lines, "/data/x/", "", "/cache/"); got != test.want {
				t.Errorf("Excerpt() = %.100q, want %.100q", got, test.want)
			}
		})
	}
}
