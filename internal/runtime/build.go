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

// A Build is the input of one build.
type Build struct {
	Runtime Runtime
	Handler Handler
	// Source is the folder of the unpacked archive. The builder may change it or move
	// it away.
	Source string
	// Output is an empty folder on the same file system as Source. The builder puts all
	// files of an instance there. They must not depend on the path of the folder.
	Output string
	// Cache is a folder that speeds up later builds of the same project. Builds of other
	// projects have other folders, because a build can affect later ones through it.
	// Required by the builders that download or compile.
	Cache string
	// Download runs a step that waits for the network, so that it does not occupy a
	// build slot. It returns the error of the step, or the cause of ctx if that ended.
	// If it is nil, the step is called directly.
	Download func(ctx context.Context, step func(context.Context) error) error
	// Log receives the output of the tools for the operator; nil discards it. Errors for
	// users are in *BuildError.
	Log io.Writer
}

// Fetch runs a step that waits for the network, with Download if that is set.
func (b Build) Fetch(ctx context.Context, step func(context.Context) error) error {
	if b.Download == nil {
		return step(ctx)
	}
	return b.Download(ctx, step)
}

// A Builder builds functions of one language. It is safe for concurrent use.
type Builder interface {
	// Build fills the Output of the build and returns how to launch it. Returns a
	// *BuildError for errors in the source, and the error of ctx if that ended.
	Build(ctx context.Context, b Build) (Launch, error)
	// Fingerprint identifies what the result of a build depends on besides source and
	// handler: the toolchain, its flags, and the code that calls the function. Returns
	// an error without a toolchain.
	Fingerprint() (string, error)
}

// Builders has the builders by language.
type Builders map[string]Builder

// Build calls the builder of the language. Returns a *BuildError for a language without
// one.
func (bs Builders) Build(ctx context.Context, b Build) (Launch, error) {
	builder, ok := bs[b.Runtime.Language]
	if !ok {
		return Launch{}, &BuildError{Message: unsupported(b.Runtime.Language).Error()}
	}
	return builder.Build(ctx, b)
}

// Name returns a file name that is equal for builds with the same result: of an archive
// with this digest, in the same project, with the same builder and handler. The project
// counts because the result depends on its cache too. It returns false for a language
// that cannot be built.
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

// Digest returns the SHA-256 digest of a list of texts in hexadecimal. It encodes their
// lengths, so that different lists have different digests.
func Digest(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(hash, "%d:%s", len(text), text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// A BuildError is the error of a build that the function's author can correct, or the
// lack of a toolchain.
type BuildError struct {
	// Message tells the author what is wrong, where, and what to do, with the end of the
	// toolchain's output if that helps. It may have several lines, and contains no path
	// of the server.
	Message string
}

// Error returns the message.
func (e *BuildError) Error() string { return e.Message }

// Failf returns a *BuildError with a formatted message.
func Failf(format string, args ...any) error {
	return &BuildError{Message: fmt.Sprintf(format, args...)}
}

// CodeDir is the name of the function within the output of a build: the folder of its
// code or, for compiled languages, the program. As at the real service, the function is
// at /home/app/function if the output is at /home/app.
const CodeDir = "function"

// DirPlaceholder is the placeholder in a Launch for the folder of the artifact.
const DirPlaceholder = "{dir}"

// A Launch describes how to start an instance of an artifact. It is stored as JSON, and
// contains placeholders instead of paths of this machine.
type Launch struct {
	// Interpreter is the language whose toolchain runs the command; empty for a command
	// that is a program.
	Interpreter string `json:"interpreter,omitempty"`
	// Command is the program and its arguments or, with an interpreter, the arguments of
	// the interpreter.
	Command []string `json:"command"`
	// Env is the environment that the artifact requires, as "KEY=value".
	Env []string `json:"env,omitempty"`
}

// Resolve replaces the placeholders by dir, the absolute path of the artifact, and returns
// the command line and the environment. Returns an error if this machine lacks the
// interpreter.
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

// Variables returns the variables that locate the handler, as "KEY=value". The real
// service's runtimes set them. dir is the path of the artifact, and command the command
// line that runs it.
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
