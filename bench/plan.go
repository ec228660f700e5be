package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/terraform"
)

var (
	planRounds = measure.Sized(7, 1)
	manyRounds = measure.Sized(3, 1)
	manyTokens = measure.Sized(1000, 20)
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
	ours.Environment = map[string]string{
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
	// Its key takes seconds on a busy machine, and tokens need it.
	poll, limit := 20*time.Millisecond, 5*time.Minute
	if _, err := j.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: namespace.ID, RetryInterval: &poll, Timeout: &limit}, scw.WithContext(ctx)); err != nil {
		return nil, err
	}
	ours, empty, err := b.projects(ctx, "many",
		fmt.Sprintf("resource scaleway_function_token many {\n  count        = %d\n  namespace_id = %q\n}\n", manyTokens, "fr-par/"+namespace.ID),
		fmt.Sprintf("resource empty_thing many {\n  count = %d\n}\n", manyTokens))
	if err != nil {
		return nil, err
	}
	ours.Environment = map[string]string{scw.ScwConfigPathEnv: j.credentials}
	for _, p := range []*terraform.Project{ours, empty} {
		if _, _, err := p.Run(ctx, "apply", "-auto-approve", "-input=false"); err != nil {
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
func comparePlans(ctx context.Context, rounds int, ours, empty *terraform.Project) (wall, cpu [2][]float64, err error) {
	for range rounds {
		for side, p := range []*terraform.Project{ours, empty} {
			w, c, err := p.Run(ctx, "plan", "-input=false")
			if err != nil {
				return wall, cpu, err
			}
			wall[side], cpu[side] = append(wall[side], w), append(cpu[side], c)
		}
	}
	return wall, cpu, nil
}

// projects makes one for our provider, and one for the empty one.
func (b *bench) projects(ctx context.Context, name, ours, empty string) (*terraform.Project, *terraform.Project, error) {
	provider, err := b.buildEmpty(ctx)
	if err != nil {
		return nil, nil, err
	}
	a, err := terraform.New(filepath.Join(b.dir, name+"-ours"), "hashicorp/scaleway", filepath.Join(b.root, "bin"), ours)
	if err != nil {
		return nil, nil, err
	}
	e, err := terraform.New(filepath.Join(b.dir, name+"-empty"), "hashicorp/empty", filepath.Dir(provider), empty)
	return a, e, err
}

// buildEmpty returns the path of the empty provider.
func (b *bench) buildEmpty(ctx context.Context) (string, error) {
	return terraform.BuildEmpty(ctx, filepath.Join(b.dir, "providers"))
}
