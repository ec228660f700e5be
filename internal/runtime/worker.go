package runtime

import (
	"path"
	"slices"
	"strings"
)

// AwaitArgument is the only argument of a bootstrap that becomes a worker.
const AwaitArgument = "--await"

// A Worker is an interpreter that is started before anybody knows which function
// it will serve: it loads what its bootstrap needs and waits. It then reads an
// Assignment, as JSON and to the end, from file descriptor 5, a pipe, and goes on
// as if it had been started for that function. It serves no other one after.
type Worker struct {
	// Interpreter is the language whose toolchain runs it.
	Interpreter string
	// Options are the interpreter's own arguments.
	Options []string
	// BootstrapName and Bootstrap are the file that the interpreter runs. It
	// needs nothing beside it.
	BootstrapName string
	Bootstrap     []byte
	// Startup are the variables that the interpreter reads when it starts and
	// never again; a name may end in * for all that begin so.
	Startup []string
	// Handled are exceptions from Startup: the bootstrap sees to them itself.
	Handled []string
}

// An Assignment tells a worker which function it serves.
type Assignment struct {
	// Arguments are those of the bootstrap.
	Arguments []string `json:"arguments"`
	// Environment replaces the worker's own.
	Environment map[string]string `json:"environment"`
}

// Command returns the worker's command line; bootstrap is the absolute path of
// the file. Returns an error if the interpreter is not on this machine.
func (w Worker) Command(t *Toolchains, bootstrap string) ([]string, error) {
	toolchain, err := t.For(w.Interpreter)
	if err != nil {
		return nil, err
	}
	return slices.Concat([]string{toolchain.Path}, w.Options, []string{bootstrap, AwaitArgument}), nil
}

// Assign returns what to tell a worker so that it does as a process that is
// started by a launch in the environment env, of "KEY=value", where the last
// value of a name counts. It returns false if a worker cannot: the launch is not
// one of its bootstrap, or the environment has a variable that only an
// interpreter that starts would heed.
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

// arguments returns what follows the bootstrap in a launch's command.
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
