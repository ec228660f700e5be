// Package terraform runs the real command line in folders of the benchmarks, and
// says what it took.
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
)

// A Project is a folder with a configuration, and with terraform's own, which
// takes the provider from a folder.
type Project struct {
	// Environment is what is added to that of this process.
	Environment map[string]string

	dir string
}

// New makes the folder dir. The provider of that source, such as
// hashicorp/scaleway, is in the folder from.
func New(dir, source, from, configuration string) (*Project, error) {
	p := &Project{dir: dir}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return nil, err
	}
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", source, from)
	if err := os.WriteFile(filepath.Join(p.dir, "terraform.rc"), []byte(overrides), 0o644); err != nil {
		return nil, err
	}
	return p, os.WriteFile(filepath.Join(p.dir, "main.tf"), []byte(configuration), 0o644)
}

// BuildEmpty builds the provider that does nothing into a folder, and returns the
// path of the program.
func BuildEmpty(ctx context.Context, dir string) (string, error) {
	empty, err := filepath.Abs(filepath.Join(dir, "terraform-provider-empty"))
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

// commandLine is the path of terraform or, where there is none, of tofu.
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

// Run returns the seconds of wall and of CPU time that a command takes, with all
// the processes that it starts.
func (p *Project) Run(ctx context.Context, arguments ...string) (wall, cpu float64, err error) {
	program, err := commandLine()
	if err != nil {
		return 0, 0, err
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(p.dir, "terraform.rc"), "CHECKPOINT_DISABLE=1")
	for _, name := range slices.Sorted(maps.Keys(p.Environment)) {
		command.Env = append(command.Env, name+"="+p.Environment[name])
	}
	began := time.Now()
	if output, err := command.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("terraform %s: %w\n%s", arguments[0], err, output[max(0, len(output)-4000):])
	}
	state := command.ProcessState
	return time.Since(began).Seconds(), (state.UserTime() + state.SystemTime()).Seconds(), nil
}
