package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/child"
)

const (
	// keptOutput is how many bytes from the end of a tool's output are kept.
	keptOutput = 64 << 10
	// drainDelay is how long output is read after a tool has ended, if one of its
	// children keeps the output open.
	drainDelay = 2 * time.Second
)

// A Command is one run of a tool.
type Command struct {
	// Args has the absolute path of the program, and its arguments.
	Args []string
	Dir  string
	// Env is the environment, as "KEY=value". A tool with Network gets more variables.
	Env []string
	// Readable has the absolute paths of files and folders that the tool may read, in
	// addition to those of the system and the toolchain, and Writable those of folders
	// that it may change too. They are enforced by Isolation only.
	Readable, Writable []string
	// Network permits downloads. The tool gets variables that may contain credentials, so
	// it must not run or read the code of an archive.
	Network bool
	// Isolation runs the tool in a sandbox; nil runs it without one.
	Isolation *Isolation
	// Log receives all output; nil discards it. Credentials of the environment and of
	// URLs are redacted in all output, unless Unredacted is set. Set it only for output
	// that users cannot read.
	Log        io.Writer
	Unredacted bool
	// Timeout is the maximum time of the run.
	Timeout time.Duration
}

// environment returns the whole environment of the tool.
func (c Command) environment() []string {
	env := append([]string{}, c.Env...)
	if c.Network {
		env = append(env, inherited(networkVariables)...)
	}
	return lastOf(env)
}

// lastOf returns the last value of each variable. A process in a sandbox receives the list
// unchanged, and a Go program uses the first value of a variable.
func lastOf(env []string) []string {
	kept, seen := make([]string, 0, len(env)), map[string]bool{}
	for _, variable := range slices.Backward(env) {
		name, _, _ := strings.Cut(variable, "=")
		if !seen[name] {
			seen[name] = true
			kept = append(kept, variable)
		}
	}
	slices.Reverse(kept)
	return kept
}

// A Failure is the error of a tool that ended with a status other than 0.
type Failure struct {
	// Output is the end of the tool's output.
	Output string
	// Status describes how the tool ended.
	Status string
}

// Error returns the status.
func (f *Failure) Error() string { return f.Status }

// ErrTimeout is returned for a tool that exceeded its Timeout.
var ErrTimeout = errors.New("took too long")

// Run runs the tool and returns the end of its standard output and standard error. Returns
// a *Failure for a status other than 0, ErrTimeout, and the error of ctx if that ended.
func Run(ctx context.Context, c Command) (string, error) {
	timed, cancel := context.WithTimeoutCause(ctx, c.Timeout, ErrTimeout)
	defer cancel()
	output := newTail(timed, c.Log)
	if !c.Unredacted {
		output.redactor = newRedactor(c.environment())
	}
	if c.Isolation != nil {
		return c.Isolation.run(timed, c, output)
	}
	cmd := &exec.Cmd{
		Path: c.Args[0],
		Args: c.Args,
		Dir:  c.Dir,
		// A nil environment would be replaced by the server's.
		Env:       c.environment(),
		Stdout:    output,
		Stderr:    output,
		WaitDelay: drainDelay,
	}
	group, err := child.Start(cmd)
	if err != nil {
		return "", fmt.Errorf("run %s: %w", c.Args[0], err)
	}
	stop := context.AfterFunc(timed, func() { group.Signal(syscall.SIGKILL) })
	defer stop()
	err = group.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return output.String(), nil
	case timed.Err() != nil:
		return output.String(), context.Cause(timed)
	case errors.As(err, &exit):
		return output.String(), &Failure{Output: output.String(), Status: exit.String()}
	}
	return output.String(), fmt.Errorf("run %s: %w", c.Args[0], err)
}

// Excerpt returns the last lines of a tool's output for users: at most the given number of
// lines and 4 KiB. It removes the hidden texts, such as paths of the server.
func Excerpt(output string, lines int, hidden ...string) string {
	const longest = 4 << 10
	for _, text := range hidden {
		if text != "" {
			output = strings.ReplaceAll(output, text, "")
		}
	}
	all := strings.Split(strings.TrimSpace(output), "\n")
	all = all[max(0, len(all)-lines):]
	excerpt := strings.Join(all, "\n")
	if len(excerpt) > longest {
		excerpt = strings.ToValidUTF8(excerpt[len(excerpt)-longest:], "")
	}
	return excerpt
}
