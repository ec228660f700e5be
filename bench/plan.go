package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
)

const (
	planRounds = 7
	manyRounds = 3
	manyTokens = 1000
)

// plan measures `terraform plan` of the example with the provider, beside that
// of as many resources of an empty one.
func (b *bench) plan(ctx context.Context) ([]measure.Result, error) {
	example, err := os.ReadFile(filepath.Join(b.root, "examples", "function-token", "main.tf"))
	if err != nil {
		return nil, err
	}
	ours, empty, err := b.projects(ctx, "plan", string(example),
		"resource empty_thing a {}\nresource empty_thing b {}\nresource empty_thing c {}\nresource empty_thing d {}\n")
	if err != nil {
		return nil, err
	}
	ours.environment = map[string]string{
		scw.ScwAccessKeyEnv: "SCWXXXXXXXXXXXXXXXXX", scw.ScwSecretKeyEnv: "11111111-1111-4111-8111-111111111111",
		scw.ScwDefaultProjectIDEnv: "11111111-1111-4111-8111-111111111111",
	}
	wall, cpu, err := comparePlans(ctx, planRounds, ours, empty)
	if err != nil {
		return nil, err
	}
	const note = "terraform plan of the example beside four resources of an empty framework provider"
	return []measure.Result{
		measure.Compare("provider-plan", "s", "<= 1.15", note, wall[0], wall[1]),
		measure.Compare("provider-plan-cpu", "s of CPU", "<= 1.15", note, cpu[0], cpu[1]),
	}, nil
}

// planMany measures a plan that refreshes a thousand tokens of one namespace,
// beside one of a thousand resources of an empty provider.
func (b *bench) planMany(ctx context.Context) ([]measure.Result, error) {
	j, err := b.serve(ctx, "many")
	if err != nil {
		return nil, err
	}
	defer j.stop()
	namespace, err := j.CreateNamespace(&function.CreateNamespaceRequest{Name: "many"}, scw.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	ours, empty, err := b.projects(ctx, "many",
		fmt.Sprintf("resource scaleway_function_token many {\n  count        = %d\n  namespace_id = %q\n}\n", manyTokens, "fr-par/"+namespace.ID),
		fmt.Sprintf("resource empty_thing many {\n  count = %d\n}\n", manyTokens))
	if err != nil {
		return nil, err
	}
	ours.environment = map[string]string{scw.ScwConfigPathEnv: j.credentials}
	for _, p := range []*project{ours, empty} {
		if _, _, err := p.terraform(ctx, "apply", "-auto-approve", "-input=false"); err != nil {
			return nil, err
		}
	}
	wall, cpu, err := comparePlans(ctx, manyRounds, ours, empty)
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("plan with refresh of %d tokens beside as many resources of an empty provider", manyTokens)
	return []measure.Result{
		measure.Compare("plan-1000", "s", "<= 1.5", note, wall[0], wall[1]),
		measure.Compare("plan-1000-cpu", "s of CPU", "<= 1.5", note+"; without the server", cpu[0], cpu[1]),
	}, nil
}

// comparePlans plans both projects in turn.
func comparePlans(ctx context.Context, rounds int, ours, empty *project) (wall, cpu [2][]float64, err error) {
	for range rounds {
		for side, p := range []*project{ours, empty} {
			w, c, err := p.terraform(ctx, "plan", "-input=false")
			if err != nil {
				return wall, cpu, err
			}
			wall[side], cpu[side] = append(wall[side], w), append(cpu[side], c)
		}
	}
	return wall, cpu, nil
}

// A project is a folder with a configuration, and with terraform's own, which
// takes the provider from a folder.
type project struct {
	dir         string
	environment map[string]string
}

// projects makes one for our provider, and one for the empty one.
func (b *bench) projects(ctx context.Context, name, ours, empty string) (*project, *project, error) {
	provider, err := b.buildEmpty(ctx)
	if err != nil {
		return nil, nil, err
	}
	a, err := b.project(name+"-ours", "hashicorp/scaleway", filepath.Join(b.root, "bin"), ours)
	if err != nil {
		return nil, nil, err
	}
	e, err := b.project(name+"-empty", "hashicorp/empty", filepath.Dir(provider), empty)
	return a, e, err
}

func (b *bench) project(name, source, folder, configuration string) (*project, error) {
	p := &project{dir: filepath.Join(b.dir, name)}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return nil, err
	}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", source, folder)
	if err := os.WriteFile(filepath.Join(p.dir, "terraform.rc"), []byte(overrides), 0o644); err != nil {
		return nil, err
	}
	return p, os.WriteFile(filepath.Join(p.dir, "main.tf"), []byte(configuration), 0o644)
}

// buildEmpty returns the path of the empty provider.
func (b *bench) buildEmpty(ctx context.Context) (string, error) {
	empty := filepath.Join(b.dir, "providers", "terraform-provider-empty")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", empty, "./bench/empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the empty provider: %w\n%s", err, output)
	}
	return empty, nil
}

// terraform returns the seconds of wall and of CPU time that a command takes,
// with all the processes that it starts.
func (p *project) terraform(ctx context.Context, arguments ...string) (wall, cpu float64, err error) {
	command := exec.CommandContext(ctx, "terraform", arguments...)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(p.dir, "terraform.rc"), "CHECKPOINT_DISABLE=1")
	for _, name := range slices.Sorted(maps.Keys(p.environment)) {
		command.Env = append(command.Env, name+"="+p.environment[name])
	}
	began := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("terraform %s: %w\n%s", arguments[0], err, output[max(0, len(output)-4000):])
	}
	state := command.ProcessState
	return time.Since(began).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), nil
}
