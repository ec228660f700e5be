// Package terraform runs the terraform command for the benchmarks, and measures what
// it costs.
package terraform

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/jeton-dev/jeton/bench/harness"
)

// A Project is a folder with a configuration and a CLI configuration file that
// overrides where terraform finds the provider.
type Project struct {
	dir string
	// environment is added to the environment of this process.
	environment map[string]string
}

// Sides returns two projects in new folders of dir: one with a configuration of our
// provider, which is in bin, and one with a configuration of the empty provider. Only
// the first gets the environment.
func Sides(ctx context.Context, dir, ours, empty string, environment map[string]string) (sides [2]*Project, err error) {
	bin, err := filepath.Abs("bin")
	if err != nil {
		return sides, err
	}
	provider, err := BuildEmpty(ctx)
	if err != nil {
		return sides, err
	}
	if sides[0], err = create(filepath.Join(dir, "ours"), "hashicorp/scaleway", bin, ours, environment); err != nil {
		return sides, err
	}
	sides[1], err = create(filepath.Join(dir, "empty"), "hashicorp/empty", filepath.Dir(provider), empty, nil)
	return sides, err
}

// create creates the project's folder. Source is the provider's address, such as
// hashicorp/scaleway, and providerDir the folder of its program.
func create(dir, source, providerDir, configuration string, environment map[string]string) (*Project, error) {
	p := &Project{dir: dir, environment: environment}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return nil, err
	}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", source, providerDir)
	if err := os.WriteFile(filepath.Join(p.dir, "terraform.rc"), []byte(overrides), 0o644); err != nil {
		return nil, err
	}
	return p, os.WriteFile(filepath.Join(p.dir, "main.tf"), []byte(configuration), 0o644)
}

// BuildEmpty builds the empty provider, and returns the path of its program.
func BuildEmpty(ctx context.Context) (string, error) {
	empty, err := filepath.Abs(filepath.Join("bin", "bench", "terraform-provider-empty"))
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-C", "bench", "-trimpath", "-ldflags", "-s -w", "-o", empty, "./empty")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the empty provider: %w\n%s", err, output)
	}
	return empty, nil
}

// commandLine returns the path of terraform or, if it is not installed, of tofu.
func commandLine() (string, error) {
	if path, err := exec.LookPath("terraform"); err == nil {
		return path, nil
	}
	path, err := exec.LookPath("tofu")
	if err != nil {
		return "", fmt.Errorf("find terraform or tofu: %w: run make setup", err)
	}
	return path, nil
}

// Run runs a terraform command, and returns the seconds that it and all processes
// that it starts take.
func (p *Project) Run(ctx context.Context, arguments ...string) (harness.Cost, error) {
	program, err := commandLine()
	if err != nil {
		return harness.Cost{}, err
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(p.dir, "terraform.rc"), "CHECKPOINT_DISABLE=1")
	for _, name := range slices.Sorted(maps.Keys(p.environment)) {
		command.Env = append(command.Env, name+"="+p.environment[name])
	}
	began := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return harness.Cost{}, fmt.Errorf("terraform %s: %w\n%s", arguments[0], err, output[max(0, len(output)-4000):])
	}
	state := command.ProcessState
	return harness.Cost{Elapsed: time.Since(began).Seconds(), CPU: (state.UserTime() + state.SystemTime()).Seconds()}, nil
}
