package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/bench/terraform"
)

var (
	planRounds = harness.Sized(7, 1)
	manyRounds = harness.Sized(3, 1)
	manyTokens = harness.Sized(1000, 20)
)

// plan compares terraform plan of the example with terraform plan of the same number
// of resources of an empty provider.
func plan(ctx context.Context, dir string) ([]harness.Result, error) {
	example, err := os.ReadFile(filepath.Join("examples", "function-token", "main.tf"))
	if err != nil {
		return nil, err
	}
	var empty strings.Builder
	for _, name := range []string{"a", "b", "c", "d"} {
		fmt.Fprintf(&empty, "resource empty_thing %s {}\n", name)
	}
	sides, err := terraform.Sides(ctx, dir, string(example), empty.String(), map[string]string{
		scw.ScwAccessKeyEnv: "SCWXXXXXXXXXXXXXXXXX", scw.ScwSecretKeyEnv: "11111111-1111-4111-8111-111111111111",
		scw.ScwDefaultProjectIDEnv: "11111111-1111-4111-8111-111111111111",
	})
	if err != nil {
		return nil, err
	}
	return comparePlans(ctx, planRounds, sides, "provider-plan", "<= 1.15",
		"terraform plan of the example, compared with four resources of an empty framework provider")
}

// planMany compares a plan that refreshes many tokens of one namespace with a plan of
// the same number of resources of an empty provider.
func planMany(ctx context.Context, dir string) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	namespace, err := s.Namespace(ctx, "many")
	if err != nil {
		return nil, err
	}
	sides, err := terraform.Sides(ctx, dir,
		fmt.Sprintf("resource scaleway_function_token many {\n  count        = %d\n  namespace_id = %q\n}\n", manyTokens, "fr-par/"+namespace.ID),
		fmt.Sprintf("resource empty_thing many {\n  count = %d\n}\n", manyTokens),
		map[string]string{scw.ScwConfigPathEnv: s.Credentials})
	if err != nil {
		return nil, err
	}
	for _, p := range sides {
		if _, err := p.Run(ctx, "apply", "-auto-approve", "-input=false"); err != nil {
			return nil, err
		}
	}
	return comparePlans(ctx, manyRounds, sides, "plan-1000", "<= 1.5",
		fmt.Sprintf("plan with refresh of %d tokens, compared with the same number of resources of an empty provider, without the server", manyTokens))
}

func comparePlans(ctx context.Context, rounds int, sides [2]*terraform.Project, id, goal, note string) ([]harness.Result, error) {
	run := func(p *terraform.Project) func() (harness.Cost, error) {
		return func() (harness.Cost, error) { return p.Run(ctx, "plan", "-input=false") }
	}
	costs, err := harness.Rounds(rounds, run(sides[0]), run(sides[1]))
	if err != nil {
		return nil, err
	}
	return harness.CompareCosts(id, "s", goal, note, costs), nil
}
