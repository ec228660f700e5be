package main

import (
	"bufio"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/remote"
	"github.com/jeton-dev/jeton/internal/source"
)

// detect returns a project for a folder without a project file. It asks for what the files do not
// say if standard input is a terminal, and writes the project file.
func (p *projectFlags) detect(ctx context.Context, server *remote.Server, s streams) (source.Project, error) {
	out := newTerminal(s.err)
	f := source.Function{Runtime: p.Runtime, Handler: p.Handler, Privacy: p.Privacy}
	if err := p.complete(ctx, server, s, &f); err != nil {
		return source.Project{}, err
	}
	name := p.Name
	if name == "" {
		name = source.FunctionName(p.Dir)
	}
	out.printf("Function %s: runtime %s, handler %s", name, f.Runtime, f.Handler)
	project := source.Project{Namespace: p.Namespace, Functions: map[string]source.Function{name: f}}
	if !p.Save {
		return project, nil
	}
	if err := project.Save(p.Dir); err != nil {
		return project, err
	}
	out.printf("Wrote %s: change it to add settings or functions", source.ProjectFile)
	return project, nil
}

// complete adds the runtime and the handler of a function.
func (p *projectFlags) complete(ctx context.Context, server *remote.Server, s streams, f *source.Function) error {
	list, err := server.Functions.ListFunctionRuntimes(&function.ListFunctionRuntimesRequest{}, scw.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("list runtimes: %w", err)
	}
	detected, err := source.Detect(p.Dir)
	if err != nil {
		return fmt.Errorf("detect runtime of %s: %w", p.Dir, err)
	}
	language := ""
	if f.Runtime == "" {
		language, err = choose(s, "language", "--runtime", p.Dir, detected.Languages, detected.Ambiguous)
		if err != nil {
			return err
		}
		if f.Runtime, err = newestRuntime(list.Runtimes, language); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(list.Runtimes, func(r *function.Runtime) bool { return r.Name == f.Runtime })
	if i < 0 {
		return fmt.Errorf("deploy %s: the server has no runtime %q", p.Dir, f.Runtime)
	}
	if f.Handler != "" {
		return nil
	}
	handlers, ambiguous := source.Handlers(p.Dir, list.Runtimes[i].Language)
	f.Handler, err = choose(s, "handler", "--handler", p.Dir, handlers, ambiguous)
	return err
}

// choose returns the first option, or the one that the user chooses if several are equally
// likely.
func choose(s streams, what, flag, dir string, options []string, ambiguous bool) (string, error) {
	switch {
	case len(options) == 0:
		return "", fmt.Errorf("deploy %s: found no %s: set %s, or pass the folder of the code", dir, what, flag)
	case !ambiguous:
		return options[0], nil
	case !isTerminal(s.in):
		return "", fmt.Errorf("deploy %s: the %s is ambiguous (%s): set %s", dir, what, strings.Join(options, ", "), flag)
	}
	fmt.Fprintf(s.err, "Which %s has the function?\n", what)
	for i, option := range options {
		fmt.Fprintf(s.err, "  %d  %s\n", i+1, option)
	}
	lines := bufio.NewScanner(s.in)
	for {
		fmt.Fprintf(s.err, "Number (1 to %d): ", len(options))
		if !lines.Scan() {
			return "", fmt.Errorf("deploy %s: no %s was chosen: set %s", dir, what, flag)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(lines.Text())); err == nil && n >= 1 && n <= len(options) {
			return options[n-1], nil
		}
	}
}

// newestRuntime returns the newest available runtime of a language, which comes first in the
// list.
func newestRuntime(all []*function.Runtime, language string) (string, error) {
	for _, r := range all {
		if r.Language != language || r.Status != function.RuntimeStatusAvailable {
			continue
		}
		if r.Implementation == "" {
			return "", fmt.Errorf("the server cannot run %s: its toolchain is not installed: see 'jeton doctor' on the machine of the server", language)
		}
		return r.Name, nil
	}
	return "", fmt.Errorf("the server has no available runtime for %s: set --runtime", language)
}
