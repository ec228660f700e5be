package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/bench/measure"
)

const planRounds = 7

// plan measures `terraform plan` of the example with the provider, beside that
// of four resources of an empty one.
func (b *bench) plan(ctx context.Context) ([]measure.Result, error) {
	empty := filepath.Join(b.dir, "providers", "terraform-provider-empty")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", empty, "./bench/empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the empty provider: %w\n%s", err, output)
	}
	example, err := os.ReadFile(filepath.Join(b.root, "examples", "function-token", "main.tf"))
	if err != nil {
		return nil, err
	}
	const things = "resource empty_thing a {}\nresource empty_thing b {}\nresource empty_thing c {}\nresource empty_thing d {}\n"
	ours, err := b.project("ours", "hashicorp/scaleway", filepath.Join(b.root, "bin"), string(example))
	if err != nil {
		return nil, err
	}
	reference, err := b.project("empty", "hashicorp/empty", filepath.Dir(empty), things)
	if err != nil {
		return nil, err
	}
	var wall, cpu [2][]float64
	for range planRounds {
		for side, project := range []string{ours, reference} {
			w, c, err := terraformPlan(ctx, project)
			if err != nil {
				return nil, err
			}
			wall[side], cpu[side] = append(wall[side], w), append(cpu[side], c)
		}
	}
	const note = "terraform plan of the example beside four resources of an empty framework provider"
	return []measure.Result{
		measure.Compare("provider-plan-cpu", "s of CPU", "<= 1.15", note, cpu[0], cpu[1]),
		measure.Compare("provider-plan-wall", "s", "<= 1.15", note, wall[0], wall[1]),
	}, nil
}

// project makes a folder with a configuration, and with terraform's own, which
// takes the provider from a folder.
func (b *bench) project(name, source, folder, configuration string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", source, folder)
	if err := os.WriteFile(filepath.Join(dir, "terraform.rc"), []byte(overrides), 0o644); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "main.tf"), []byte(configuration), 0o644)
}

// terraformPlan returns the seconds of wall and of CPU time that a plan takes,
// with all the processes that it starts.
func terraformPlan(ctx context.Context, dir string) (wall, cpu float64, err error) {
	command := exec.CommandContext(ctx, "terraform", "plan", "-input=false")
	command.Dir = dir
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "CHECKPOINT_DISABLE=1",
		"SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX", "SCW_SECRET_KEY=11111111-1111-4111-8111-111111111111",
		"SCW_DEFAULT_PROJECT_ID=11111111-1111-4111-8111-111111111111")
	began := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("terraform plan: %w\n%s", err, output)
	}
	state := command.ProcessState
	return time.Since(began).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), nil
}
