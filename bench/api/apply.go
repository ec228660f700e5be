package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/harness"
	"github.com/jeton-dev/jeton/bench/terraform"
)

var applyRounds = harness.Sized(5, 1)

// emptyExample has as many resources as the example, with the same dependencies.
const emptyExample = `resource empty_thing namespace {}
resource empty_thing function { depends_on = [empty_thing.namespace] }
resource empty_thing namespace_token { depends_on = [empty_thing.namespace] }
resource empty_thing function_token { depends_on = [empty_thing.function] }
`

// applied is how many seconds one round of apply and destroy took.
type applied struct{ apply, destroy float64 }

// applyExample compares terraform apply and destroy of the README's example with the
// same number of resources of an empty provider, which shows terraform's own part.
func applyExample(ctx context.Context, dir string) ([]harness.Result, error) {
	s, err := harness.Start(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	example, err := os.ReadFile(filepath.Join("examples", "function-token", "main.tf"))
	if err != nil {
		return nil, err
	}
	sides, err := terraform.Sides(ctx, dir, string(example), emptyExample, map[string]string{scw.ScwConfigPathEnv: s.Credentials})
	if err != nil {
		return nil, err
	}
	samples, err := harness.WarmRounds(applyRounds,
		func() (applied, error) {
			if err := s.Settle(ctx); err != nil {
				return applied{}, err
			}
			return applyAndDestroy(ctx, sides[0])
		},
		func() (applied, error) { return applyAndDestroy(ctx, sides[1]) })
	if err != nil {
		return nil, err
	}
	compare := func(command string, seconds func(applied) float64) harness.Result {
		return harness.Compare(command+"-example", "s", "", "terraform "+command+" of the example; the reference is terraform's own part",
			harness.Column(samples[0], seconds), harness.Column(samples[1], seconds))
	}
	return []harness.Result{
		compare("apply", func(a applied) float64 { return a.apply }),
		compare("destroy", func(a applied) float64 { return a.destroy }),
	}, s.Stop()
}

func applyAndDestroy(ctx context.Context, p *terraform.Project) (applied, error) {
	apply, err := p.Run(ctx, "apply", "-auto-approve", "-input=false")
	if err != nil {
		return applied{}, err
	}
	destroy, err := p.Run(ctx, "destroy", "-auto-approve", "-input=false")
	return applied{apply: apply.Elapsed, destroy: destroy.Elapsed}, err
}
