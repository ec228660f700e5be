package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/test/official"
)

// officialStatesPlanEmpty plans states of the official provider, one for each form in
// which it writes an equal value differently. All plans must be empty. It then checks
// that the official provider can read the states that this provider writes over them.
func officialStatesPlanEmpty(ctx context.Context, h *harness) (string, error) {
	p, err := h.newTakeOver(ctx)
	if err != nil {
		return "", err
	}
	defer p.server.stop()
	changed, plans, err := p.planTraps(ctx, func(official.Object) official.Arguments { return nil })
	if err != nil {
		return "", err
	}
	states, problems, err := p.returnToOfficial(ctx)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%d states of the official provider, %d resource types, %d plans with and without refresh, %d changes; "+
		"%d states written over them, %d attributes that the official provider cannot read",
		len(p.traps), p.types(), plans, len(changed), states, len(problems))
	if len(changed) > 0 || len(problems) > 0 || states == 0 || plans < len(p.traps) {
		return line + ": " + strings.Join(append(changed, problems...), "; "), errBroken
	}
	return line, nil
}

// changedStatesAreDetected runs the same proof with a different configuration for each
// state: all plans must have changes.
func changedStatesAreDetected(ctx context.Context, h *harness) (string, error) {
	p, err := h.newTakeOver(ctx)
	if err != nil {
		return "", err
	}
	defer p.server.stop()
	changed, plans, err := p.planTraps(ctx, differentArguments)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("self-test with a different configuration for each state: %d of %d plans have changes, all must", len(changed), plans)
	if len(changed) != plans {
		return line, errBroken
	}
	return line, nil
}

// A takeOver is a server with objects as the official provider creates them, and a
// terraform that uses bin/terraform-provider-scaleway under the official address.
type takeOver struct {
	server    *jeton
	dir       string
	terraform string
	env       []string
	objects   map[string]official.Object
	traps     map[string]official.Trap
}

func (h *harness) newTakeOver(ctx context.Context) (*takeOver, error) {
	terraform, err := findTerraform(h.root)
	if err != nil {
		return nil, err
	}
	v, err := h.newServer(ctx)
	if err != nil {
		return nil, err
	}
	p := &takeOver{server: v, dir: v.data + "-terraform", terraform: terraform}
	if p.objects, err = official.MakeObjects(ctx, v.API); err == nil {
		p.traps = official.Traps(p.objects)
		err = p.prepare(h.root)
	}
	if err != nil {
		v.stop()
		return nil, err
	}
	return p, nil
}

func findTerraform(root string) (string, error) {
	for _, name := range []string{"terraform", "tofu", filepath.Join(root, "bin", "tofu")} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("find terraform or tofu: not in PATH or bin: run make demo, which builds tofu")
}

// prepare sets the environment and the configuration of terraform. It ignores the
// machine's own settings for Terraform and Scaleway.
func (p *takeOver) prepare(root string) error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	overrides := filepath.Join(p.dir, "overrides.tfrc")
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "TF_") && !strings.HasPrefix(variable, "SCW_") {
			p.env = append(p.env, variable)
		}
	}
	p.env = append(p.env, "TF_CLI_CONFIG_FILE="+overrides, "TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1",
		"SCW_CONFIG_PATH="+p.server.data+".credentials.yaml", "SCW_API_URL="+p.server.api)
	return os.WriteFile(overrides, fmt.Appendf(nil, "provider_installation {\n  dev_overrides { %q = %q }\n  direct {}\n}\n",
		official.Address, filepath.Join(root, "bin")), 0o600)
}

// types returns the number of resource types of the traps.
func (p *takeOver) types() int {
	types := map[string]bool{}
	for _, trap := range p.traps {
		types[trap.Object(p.objects).Type] = true
	}
	return len(types)
}

// differentArguments returns arguments that differ from those of an object.
func differentArguments(o official.Object) official.Arguments {
	switch o.Type {
	case official.CronType:
		return official.Arguments{"schedule": `"@monthly"`}
	case official.DomainType:
		return official.Arguments{"hostname": `"another.example.com"`}
	default:
		return official.Arguments{"description": `"another"`}
	}
}

// planTraps plans each trap with additional arguments, and returns the names of the plans
// with changes and the number of all plans.
func (p *takeOver) planTraps(ctx context.Context, others func(official.Object) official.Arguments) (changed []string, plans int, err error) {
	for _, name := range slices.Sorted(maps.Keys(p.traps)) {
		trap := p.traps[name]
		object := trap.Object(p.objects)
		folder, err := p.folder(map[string]official.Object{"main": object.With(others(object), nil)}, trap.Archive)
		if err != nil {
			return nil, 0, err
		}
		for _, refresh := range []string{"-refresh=true", "-refresh=false"} {
			if trap.Refreshed && refresh == "-refresh=false" {
				continue
			}
			plans++
			const changes = 2
			switch output, status, err := p.run(ctx, folder, "plan", "-no-color", "-detailed-exitcode", refresh); {
			case err != nil:
				return nil, 0, err
			case status == changes:
				changed = append(changed, name+" "+refresh)
			case status != 0:
				return nil, 0, fmt.Errorf("plan %s for %q: exit status %d\n%s", refresh, name, status, output)
			}
		}
	}
	return changed, plans, nil
}

// folder makes a folder with the configuration and the official state of objects.
func (p *takeOver) folder(objects map[string]official.Object, archive bool) (string, error) {
	folder, err := os.MkdirTemp(p.dir, "")
	if err != nil {
		return "", err
	}
	state, err := official.State(objects)
	if err != nil {
		return "", err
	}
	configuration := official.Requiring(official.Address)
	for name, object := range objects {
		configuration += object.Configuration(name)
	}
	files := map[string]string{"main.tf": configuration, "terraform.tfstate": state}
	if archive {
		files["function.zip"] = "only its digest is used"
	}
	for name, content := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return folder, err
}

// run runs terraform, and returns its output and exit status.
func (p *takeOver) run(ctx context.Context, folder string, arguments ...string) (string, int, error) {
	command := exec.CommandContext(ctx, p.terraform, arguments...)
	command.Dir, command.Env = folder, p.env
	output, err := command.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return "", 0, err
	}
	return string(output), command.ProcessState.ExitCode(), ctx.Err()
}

// returnToOfficial makes this provider write over the official states, and returns the
// number of states and the attributes that the official schema cannot read.
func (p *takeOver) returnToOfficial(ctx context.Context) (states int, problems []string, err error) {
	folder, err := p.folder(p.objects, false)
	if err != nil {
		return 0, nil, err
	}
	if output, status, err := p.run(ctx, folder, "apply", "-no-color", "-auto-approve", "-refresh-only"); err != nil || status != 0 {
		return 0, nil, errors.Join(err, fmt.Errorf("refresh the official states: exit status %d\n%s", status, output))
	}
	content, err := os.ReadFile(filepath.Join(folder, "terraform.tfstate"))
	if err != nil {
		return 0, nil, err
	}
	var written struct {
		Resources []struct {
			Type, Name string
			Instances  []struct {
				Attributes map[string]json.RawMessage
			}
		}
	}
	schema, problem := official.ReadSchema()
	if err := errors.Join(problem, json.Unmarshal(content, &written)); err != nil {
		return 0, nil, err
	}
	for _, resource := range written.Resources {
		for _, instance := range resource.Instances {
			states++
			for _, unreadable := range schema.Resources[resource.Type].Unreadable(instance.Attributes) {
				problems = append(problems, resource.Type+"."+resource.Name+": "+unreadable)
			}
		}
	}
	return states, problems, nil
}
