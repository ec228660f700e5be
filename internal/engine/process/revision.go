package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/printed"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// A revision is an engine.Revision with all that a start of an instance needs,
// computed once by Apply. It is immutable.
type revision struct {
	source engine.Revision
	// dir is the folder of the artifact, and release ends its use.
	dir     string
	release func()
	// language, command and env are those of Start.
	language     string
	command, env []string
	secrets      *printed.Redactor
	// assignment is what a warm worker reads to serve the revision, as JSON; nil
	// if no worker can serve it.
	assignment []byte
	// visible are the folders and files of this machine that instances see.
	visible []string
	// kinds are the kinds of warm sandboxes that can serve the revision, best
	// first.
	kinds []string
}

// resolve returns what instances of a revision need on this machine.
func (e *Engine) resolve(ctx context.Context, r engine.Revision) (*revision, error) {
	if r.ID == "" {
		return nil, errors.New("revision has no ID")
	}
	dir, release, err := e.config.Artifacts.Local(ctx, r.FunctionID, r.Artifact)
	if err != nil {
		return nil, err
	}
	resolved := &revision{source: r, dir: dir, release: release, secrets: printed.NewRedactor(r.Secrets)}
	if err := e.resolveStart(resolved); err != nil {
		release()
		return nil, err
	}
	return resolved, nil
}

// resolveStart adds how instances of the revision are started.
func (e *Engine) resolveStart(r *revision) error {
	start, err := e.config.Starter.Start(r.source, e.home(r.dir))
	if err != nil {
		return err
	}
	if len(start.Command) == 0 || !filepath.IsAbs(start.Command[0]) {
		return fmt.Errorf("command %.100q has no absolute path", start.Command)
	}
	r.language, r.command, r.env = start.Language, start.Command, start.Env
	if e.host == nil {
		return nil
	}
	if e.config.Isolation == sandbox.Full {
		if err := openToOthers(r.dir); err != nil {
			return err
		}
	}
	r.visible = e.visibleTo(start.Command[0])
	return e.resolveWarm(r, start)
}

// Source implements instances.Revision.
func (r *revision) Source() engine.Revision { return r.source }

// Release implements instances.Revision.
func (r *revision) Release() { r.release() }

// home returns the path at which instances see the folder of their artifact.
func (e *Engine) home(dir string) string {
	if e.config.Isolation >= sandbox.User {
		return sandbox.HomeDir
	}
	return dir
}

// resolveWarm determines which warm sandboxes can serve the revision.
func (e *Engine) resolveWarm(r *revision, start Start) error {
	if _, ok := e.config.Workers[r.language]; ok && start.UseWorker && !e.config.WarmPool.NoWorkers {
		text, err := assignment(start.WorkerArguments, slices.Concat(environment(e.config.Isolation, ""), r.env))
		if err != nil {
			return err
		}
		r.assignment = text
		r.kinds = append(r.kinds, r.language)
	}
	if e.sees(r.command[0]) {
		r.kinds = append(r.kinds, empty)
	}
	return nil
}

// assignment encodes what a warm worker reads to serve a revision.
func assignment(arguments, env []string) ([]byte, error) {
	a := struct {
		Arguments   []string          `json:"arguments"`
		Environment map[string]string `json:"environment"`
	}{arguments, make(map[string]string, len(env))}
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		a.Environment[name] = value
	}
	return json.Marshal(a)
}

// visibleTo returns the folders and files of this machine that instances of a
// program see: those that all instances see, and the program.
func (e *Engine) visibleTo(program string) []string {
	if e.sees(program) {
		return e.visible
	}
	return append(slices.Clone(e.visible), program)
}

// sees reports whether all instances see a program.
func (e *Engine) sees(program string) bool {
	return slices.ContainsFunc(append([]string{sandbox.HomeDir}, e.visible...), func(path string) bool {
		return program == path || strings.HasPrefix(program, path+"/")
	})
}
