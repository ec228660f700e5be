package runtime

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// A Build is one function's source on its way to something that runs.
type Build struct {
	Runtime Runtime
	Handler Handler
	// Source holds the unpacked archive. It belongs to this build, which
	// changes it, and may move it away.
	Source string
	// Output is an empty folder on the same file system as Source. After the
	// build it holds all that an instance needs and never changes again; it
	// may be renamed before it is launched.
	Output string
	// Cache is a folder for what makes the project's next builds quicker. Builds of
	// other projects have other ones: what a build leaves there, the next one uses.
	// Builders of languages that download or compile need it.
	Cache string
	// Download calls a step that waits for the network, so that it is counted as
	// waiting; nil calls it directly. It returns what the step returns, and ctx's
	// cause if that ended.
	Download func(ctx context.Context, step func(context.Context) error) error
	// Log receives what the toolchain prints, for the operator; nil for
	// nobody. What users must know is in the *BuildError.
	Log io.Writer
}

// Fetch calls a step that waits for the network.
func (b Build) Fetch(ctx context.Context, step func(context.Context) error) error {
	if b.Download == nil {
		return step(ctx)
	}
	return b.Download(ctx, step)
}

// A Builder builds functions of one language.
type Builder interface {
	// Build returns how to launch what it left in the build's Output. Returns
	// a *BuildError if the source is at fault, and ctx's error if it ended.
	Build(ctx context.Context, b Build) (Launch, error)
	// Fingerprint names all that the result of a build depends on besides source
	// and handler: the toolchain, the flags, what is put around the function.
	// Returns an error if there is no toolchain.
	Fingerprint() (string, error)
}

// Builders are the languages that can be built, by name.
type Builders map[string]Builder

// Build hands the build to its language's builder. Returns a *BuildError for a
// language without one.
func (bs Builders) Build(ctx context.Context, b Build) (Launch, error) {
	builder, ok := bs[b.Runtime.Language]
	if !ok {
		return Launch{}, &BuildError{Message: unsupported(b.Runtime.Language).Error()}
	}
	return builder.Build(ctx, b)
}

// Name returns a name, fit for files, that builds share which come to the same: those
// of an archive of this digest, in the same project, by the same builder, for the same
// handler. Projects share none: what a build comes to depends on its project's cache,
// too. It returns false for a language that cannot be built.
func (bs Builders) Name(projectID string, r Runtime, h Handler, digest string) (string, bool) {
	builder, ok := bs[r.Language]
	if !ok {
		return "", false
	}
	fingerprint, err := builder.Fingerprint()
	if err != nil {
		return "", false
	}
	return Digest(projectID, r.Language, h.Dir, h.File, h.Function, digest, fingerprint), true
}

// Digest returns the SHA-256 of texts, in hexadecimal, which differs for any others.
func Digest(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(hash, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// A BuildError is a build that failed by the fault of the function's author, or
// for the lack of a toolchain.
type BuildError struct {
	// Message is for the author: what is wrong, where, and what to do, with
	// the toolchain's own last words where they help. It may have several
	// lines and names no path of the server.
	Message string
}

// Error returns the message.
func (e *BuildError) Error() string { return e.Message }

// Failf makes a *BuildError as fmt.Sprintf would.
func Failf(format string, args ...any) error {
	return &BuildError{Message: fmt.Sprintf(format, args...)}
}

// CodeDir is what a build's output has of the function itself: the folder of its
// code or, for compiled languages, the program. It is the real service's: with the
// output at /home/app it is /home/app/function.
const CodeDir = "function"

// DirPlaceholder stands in a Launch for the folder that the build's Output has
// become.
const DirPlaceholder = "{dir}"

// A Launch is how to start an instance of what was built. It is stored, as
// JSON, and outlives the server that built it: it holds no path of this
// machine, only placeholders.
type Launch struct {
	// Interpreter is the language whose toolchain runs the command; empty if
	// the command is a program by itself.
	Interpreter string `json:"interpreter,omitempty"`
	// Command is the program and its arguments or, where there is an
	// interpreter, the interpreter's arguments.
	Command []string `json:"command"`
	// Env is what the built code needs in its environment, as "KEY=value".
	Env []string `json:"env,omitempty"`
}

// Resolve fills in the placeholders: dir is the absolute path of what was
// built. It returns an absolute command line and the environment. Returns an
// error if the interpreter is no longer on this machine.
func (l Launch) Resolve(dir string, t *Toolchains) (command, env []string, err error) {
	if len(l.Command) == 0 {
		return nil, nil, errors.New("launch has no command")
	}
	if l.Interpreter != "" {
		toolchain, err := t.For(l.Interpreter)
		if err != nil {
			return nil, nil, err
		}
		command = append(command, toolchain.Path)
	}
	return append(command, fill(l.Command, dir)...), fill(l.Env, dir), nil
}

// Variables are those by which code can find its handler, as the real service's
// runtimes set them: of what was built at dir for a handler and runs by a command
// line, as "KEY=value".
func (l Launch) Variables(h Handler, dir string, command []string) []string {
	variables := []string{
		"SCW_HANDLER_NAME=" + h.Function,
		"SCW_HANDLER_PATH=" + path.Join(dir, CodeDir),
		"SCW_HANDLER_IS_BINARY=true",
	}
	if l.Interpreter != "" {
		variables[1] += "/" + path.Join(h.Dir, h.File)
		variables[2] = "SCW_HANDLER_IS_BINARY=false"
		variables = append(variables, "SCW_RUNTIME_BINARY="+command[0])
	}
	return variables
}

func fill(texts []string, dir string) []string {
	filled := make([]string, len(texts))
	for i, text := range texts {
		filled[i] = strings.ReplaceAll(text, DirPlaceholder, dir)
	}
	return filled
}
