package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// oldest is the oldest version of terraform that supports all that the provider uses.
const oldest = "v1.11"

// findTerraform finds terraform or tofu in PATH, or builds OpenTofu.
func (d *demo) findTerraform(ctx context.Context) error {
	for _, name := range []string{"terraform", "tofu"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := terraformVersion(ctx, path)
		if err != nil || semver.Compare("v"+version, oldest) < 0 {
			fmt.Fprintf(d.out, "%s has version %s, which is older than %s: skipping it\n", path, version, oldest)
			continue
		}
		d.terraform = path
		d.say("Using %s %s", name, version)
		return nil
	}
	return d.buildTofu(ctx)
}

func terraformVersion(ctx context.Context, path string) (string, error) {
	output, err := exec.CommandContext(ctx, path, "version", "-json").Output()
	if err != nil {
		return "", err
	}
	var version struct {
		Version string `json:"terraform_version"`
	}
	err = json.Unmarshal(output, &version)
	return version.Version, err
}

// buildTofu builds OpenTofu into bin/, at the version of the module tools/tofu. A later
// run uses the result.
func (d *demo) buildTofu(ctx context.Context) error {
	d.terraform = filepath.Join(d.root, "bin", "tofu")
	if _, err := os.Stat(d.terraform); err == nil {
		d.say("Using bin/tofu from an earlier run")
		return nil
	}
	d.say("Neither terraform (%s or later) nor tofu is installed: building OpenTofu, which takes some minutes", oldest)
	defer d.progress("building OpenTofu")()
	build := exec.CommandContext(ctx, "go", "build", "-o", d.terraform, "github.com/opentofu/opentofu/cmd/tofu")
	build.Dir = filepath.Join(d.root, "tools", "tofu")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build OpenTofu: %w\n%s", err, output)
	}
	return nil
}

// tf runs jeton tf in the folder of an example, and returns its standard output.
func (d *demo) tf(ctx context.Context, example string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, d.jeton(), append([]string{"tf"}, args...)...)
	command.Dir = d.path(example)
	command.Env = d.environment()
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("terraform %s in %s: %w\n%s%s", strings.Join(args, " "), example, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.String(), nil
}

// plan returns "changes" or "no changes".
func (d *demo) plan(ctx context.Context, example string) (string, error) {
	output, err := d.tf(ctx, example, "plan", "-detailed-exitcode")
	const changed = 2
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.ExitCode() == changed {
		fmt.Fprint(d.out, output)
		return "changes", nil
	}
	return "no changes", err
}

// output reads one output of an example.
func (d *demo) output(ctx context.Context, example, name string, into any) error {
	text, err := d.tf(ctx, example, "output", "-json", name)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), into)
}

// stateValue reads an attribute of a resource from the state.
func (d *demo) stateValue(ctx context.Context, example, address, attribute string, into any) error {
	text, err := d.tf(ctx, example, "show", "-json")
	if err != nil {
		return err
	}
	var state struct {
		Values struct {
			Root struct {
				Resources []struct {
					Address string                     `json:"address"`
					Values  map[string]json.RawMessage `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		return err
	}
	for _, resource := range state.Values.Root.Resources {
		if resource.Address == address {
			return json.Unmarshal(resource.Values[attribute], into)
		}
	}
	return fmt.Errorf("find %s in the state of %s: not found", address, example)
}

const expiryVariable = "TF_VAR_expires_at"

// setExpiry sets the expiry of the short-lived token for all later runs of terraform.
func (d *demo) setExpiry(at time.Time) {
	_ = os.Setenv(expiryVariable, at.UTC().Format(time.RFC3339))
}

func (d *demo) expiry() string { return os.Getenv(expiryVariable) }

// environment returns the environment without this machine's settings of Terraform,
// Scaleway and Jeton.
func (d *demo) environment() []string {
	var environment []string
	for _, variable := range os.Environ() {
		kept := strings.HasPrefix(variable, "TF_VAR_")
		if kept || !strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "SCW_") && !strings.HasPrefix(variable, "JETON_") {
			environment = append(environment, variable)
		}
	}
	return append(environment,
		"JETON_DATA_DIR="+d.path("data"), "JETON_TERRAFORM="+d.terraform, "JETON_CACHE_DIR="+filepath.Join(d.root, ".cache"),
		"TF_CLI_CONFIG_FILE="+os.DevNull, "TF_IN_AUTOMATION=1", "TF_CLI_ARGS=-no-color", "CHECKPOINT_DISABLE=1",
	)
}
