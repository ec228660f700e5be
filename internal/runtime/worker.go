package runtime

import (
	"path"
	"slices"
	"strings"
)

// AwaitArgument is the only argument of a bootstrap that runs as a worker.
const AwaitArgument = "--await"

// A Worker describes an interpreter that is started before its function is known: it
// loads the bootstrap and waits. It then reads an Assignment as JSON from file
// descriptor 5, a pipe, until its end, and continues like a process that was started
// for that function. It serves one function only.
type Worker struct {
	// Interpreter is the language of the toolchain.
	Interpreter string
	// Options are the arguments of the interpreter itself.
	Options []string
	// BootstrapName and Bootstrap are the name and content of the file that the
	// interpreter runs. It needs no other file.
	BootstrapName string
	Bootstrap     []byte
	// Startup has the variables that the interpreter reads only when it starts. A name
	// may end in "*", which matches any suffix.
	Startup []string
	// Handled has exceptions from Startup that the bootstrap implements itself.
	Handled []string
}

// An Assignment is the message that makes a worker serve a function.
type Assignment struct {
	// Arguments are the arguments of the bootstrap.
	Arguments []string `json:"arguments"`
	// Environment replaces the environment of the worker.
	Environment map[string]string `json:"environment"`
}

// Command returns the command line of the worker. bootstrap is the absolute path of its
// file. Returns an error if this machine lacks the interpreter.
func (w Worker) Command(t *Toolchains, bootstrap string) ([]string, error) {
	toolchain, err := t.For(w.Interpreter)
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{toolchain.Path}, w.Options, []string{bootstrap, AwaitArgument}), nil
}

// Assign returns the message after which a worker behaves like a process that was started
// with the launch and the environment env, of "KEY=value"; the last value of a name
// counts. It returns false if that is impossible: the launch has another bootstrap, or
// env has a variable of Startup.
func (w Worker) Assign(l Launch, dir string, env []string) (Assignment, bool) {
	arguments, ok := w.arguments(l)
	if !ok {
		return Assignment{}, false
	}
	a := Assignment{Arguments: fill(arguments, dir), Environment: make(map[string]string, len(env))}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if matches(w.Startup, name) && !matches(w.Handled, name) {
			return Assignment{}, false
		}
		a.Environment[name] = value
	}
	return a, true
}

// arguments returns the arguments after the bootstrap in the command of a launch.
func (w Worker) arguments(l Launch) ([]string, bool) {
	prefix := slices.Concat(w.Options, []string{path.Join(DirPlaceholder, w.BootstrapName)})
	if l.Interpreter != w.Interpreter || len(l.Command) < len(prefix) || !slices.Equal(l.Command[:len(prefix)], prefix) {
		return nil, false
	}
	return l.Command[len(prefix):], true
}

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return name == pattern || open && strings.HasPrefix(name, prefix)
	})
}
