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

// officialStatesPlanEmpty plans a state for each way in which the official provider
// writes what is the same in other words, and then looks whether that provider
// could read what this one makes of such states.
func officialStatesPlanEmpty(ctx context.Context, s *stage) (string, error) {
	p, err := s.newTakeOver(ctx)
	if err != nil {
		return "", err
	}
	defer p.server.stop()
	changed, plans, err := p.planTraps(ctx, func(official.Object) official.Arguments { return nil })
	if err != nil {
		return "", err
	}
	states, problems, err := p.wayBack(ctx)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%d official states of %d resource types planned, %d plans with and without a look at the server, %d changes; "+
		"%d states written over them, %d attributes that the official provider could not read",
		len(p.traps), p.types(), plans, len(changed), states, len(problems))
	if len(changed) > 0 || len(problems) > 0 || states == 0 || plans < len(p.traps) {
		return line + ": " + strings.Join(append(changed, problems...), "; "), errBroken
	}
	return line, nil
}

// changedStatesAreCaught runs the same proof with configurations that ask for
// something else: it must find every one.
func changedStatesAreCaught(ctx context.Context, s *stage) (string, error) {
	p, err := s.newTakeOver(ctx)
	if err != nil {
		return "", err
	}
	defer p.server.stop()
	changed, plans, err := p.planTraps(ctx, somethingElse)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("the same proof with something else in each configuration: %d of %d plans have changes, as it must find", len(changed), plans)
	if len(changed) != plans {
		return line, errBroken
	}
	return line, nil
}

// takeOver is a server with objects that the official provider could have made,
// and a terraform that finds bin/terraform-provider-scaleway under its address.
type takeOver struct {
	server    *jeton
	dir       string
	terraform string
	env       []string
	objects   map[string]official.Object
	traps     map[string]official.Trap
}

func (s *stage) newTakeOver(ctx context.Context) (*takeOver, error) {
	terraform, err := findTerraform(s.root)
	if err != nil {
		return nil, err
	}
	v, err := s.newServer(ctx)
	if err != nil {
		return nil, err
	}
	p := &takeOver{server: v, dir: v.data + "-terraform", terraform: terraform}
	if p.objects, err = official.MakeObjects(ctx, v.API); err == nil {
		p.traps = official.Traps(p.objects)
		err = p.prepare(s.root)
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
	return "", errors.New("neither terraform nor tofu is here: make demo builds tofu into bin/")
}

// prepare keeps whatever this machine has set up for Terraform or for Scaleway out
// of the proof.
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

// types is of how many types the states are.
func (p *takeOver) types() int {
	types := map[string]bool{}
	for _, trap := range p.traps {
		types[trap.Object(p.objects).Type] = true
	}
	return len(types)
}

// somethingElse are arguments that an object does not have.
func somethingElse(o official.Object) official.Arguments {
	switch o.Type {
	case official.CronType:
		return official.Arguments{"schedule": `"@monthly"`}
	case official.DomainType:
		return official.Arguments{"hostname": `"another.example.com"`}
	default:
		return official.Arguments{"description": `"another"`}
	}
}

// planTraps plans each trap, with other arguments than its own, and returns the
// names of those whose plans have changes, and how many plans were made.
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
				return nil, 0, fmt.Errorf("plan %s of %q: exit status %d\n%s", refresh, name, status, output)
			}
		}
	}
	return changed, plans, nil
}

// folder writes the configuration and the official state of objects.
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
		files["function.zip"] = "looked at by its digest only"
	}
	for name, content := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return folder, err
}

// run returns what terraform printed, and its exit status.
func (p *takeOver) run(ctx context.Context, folder string, arguments ...string) (string, int, error) {
	command := exec.CommandContext(ctx, p.terraform, arguments...)
	command.Dir, command.Env = folder, p.env
	output, err := command.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		return "", 0, err
	}
	return string(output), command.ProcessState.ExitCode(), ctx.Err()
}

// wayBack has the provider write over the official states, and returns how many
// states it wrote and what the official schema cannot read of them.
func (p *takeOver) wayBack(ctx context.Context) (states int, problems []string, err error) {
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
