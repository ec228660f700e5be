package tool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/internal/child"
)

const (
	// keptOutput is how much of a tool's output is kept, from its end.
	keptOutput = 64 << 10
	// drainDelay is how long output is read after a tool has ended, in case a
	// child of it holds it open.
	drainDelay = 2 * time.Second
)

// A Command is one run of a tool.
type Command struct {
	// Args are the program, by its absolute path, and its arguments.
	Args []string
	Dir  string
	// Env is the whole environment, as "KEY=value", but for the variables that a
	// tool with Network gets.
	Env []string
	// Readable and Writable are the files and folders, by absolute paths, that the
	// tool needs beside those of the system and its own program: those that it may
	// read, and the folders that it may change, too. Only walls keep it to them.
	Readable, Writable []string
	// Network tells that the tool may have to download something. It gets the
	// server's variables for that, which may have credentials: such a tool sees no
	// code of an archive.
	Network bool
	// Walls are put around the tool; nil for none.
	Walls *Walls
	// Log receives all output too; nil for nobody. Credentials of the environment and
	// of URLs are taken out of output, but not with Unredacted: for output that no
	// user reads.
	Log        io.Writer
	Unredacted bool
	// Timeout bounds the run.
	Timeout time.Duration
}

// environment is the whole environment of the tool.
func (c Command) environment() []string {
	env := append([]string{}, c.Env...)
	if c.Network {
		env = append(env, inherited(networkVariables)...)
	}
	return env
}

// A Failure says that the tool itself found fault with its input.
type Failure struct {
	// Output is the end of what the tool printed.
	Output string
	// Status is how it ended, in words.
	Status string
}

// Error returns the status.
func (f *Failure) Error() string { return f.Status }

// ErrTimeout is returned for a tool that ran for too long.
var ErrTimeout = errors.New("took too long")

// Run runs the tool and returns the end of its output, standard output and
// standard error together. Returns a *Failure if the tool ended with a status
// other than 0, ErrTimeout if its time was up, and ctx's error if that ended.
func Run(ctx context.Context, c Command) (string, error) {
	timed, cancel := context.WithTimeoutCause(ctx, c.Timeout, ErrTimeout)
	defer cancel()
	output := &tail{log: c.Log}
	if !c.Unredacted {
		output.redactor = newRedactor(c.environment())
	}
	if c.Walls != nil {
		return c.Walls.run(timed, c, output)
	}
	cmd := &exec.Cmd{
		Path: c.Args[0],
		Args: c.Args,
		Dir:  c.Dir,
		// Without an environment of its own a command would get the server's.
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

// Excerpt returns the last lines of a tool's output for a user: at most so many
// lines, and not too long a text. Each of the hidden texts, such as the server's
// own paths, is cut out of it.
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
