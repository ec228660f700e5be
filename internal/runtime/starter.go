package runtime

import (
	"encoding/json"
	"fmt"
	"slices"
)

// A Starter determines how instances of built functions start on this machine.
type Starter struct {
	// Toolchains run the functions of interpreted languages.
	Toolchains *Toolchains
	// Workers are the interpreters that can be started ahead of need, by language.
	Workers map[string]Worker
}

// A Start describes how an instance starts.
type Start struct {
	// Language is the language of the runtime.
	Language string
	// Command is the absolute path of the program and its arguments.
	Command []string
	// Env is the whole environment, as "KEY=value"; the last of two values of a key
	// wins.
	Env []string
	// UseWorker reports whether the worker of Language can start the instance, with
	// Env and WorkerArguments.
	UseWorker       bool
	WorkerArguments []string
}

// Start returns how an instance starts that sees the build's output at the absolute
// path home: of the runtime with a name, with the Launch that the build returned, as
// JSON, and with env in addition to the variables that the runtime sets. Returns an
// error if the runtime is unknown, or if its interpreter is not on this machine.
func (s Starter) Start(name, handler string, launch []byte, env []string, home string) (Start, error) {
	info, ok := Lookup(name)
	if !ok {
		return Start{}, fmt.Errorf("unknown runtime %.100q", name)
	}
	parsed, err := ParseHandler(info.Language, handler)
	if err != nil {
		return Start{}, err
	}
	var l Launch
	if err := json.Unmarshal(launch, &l); err != nil {
		return Start{}, fmt.Errorf("decode launch: %w", err)
	}
	command, defaults, err := l.Resolve(home, s.Toolchains)
	if err != nil {
		return Start{}, err
	}
	start := Start{Language: info.Language, Command: command, Env: slices.Concat(defaults, env, l.Variables(parsed, home, command))}
	if worker, ok := s.Workers[l.Interpreter]; ok {
		var assignment Assignment
		assignment, start.UseWorker = worker.Assign(l, home, start.Env)
		start.WorkerArguments = assignment.Arguments
	}
	return start, nil
}
