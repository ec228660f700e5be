package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/bench/measure"
	"github.com/jeton-dev/jeton/bench/stage"
	"github.com/jeton-dev/jeton/bench/terraform"
)

var applyRounds = measure.Sized(5, 1)

// empty has as many resources as the example, which depend on each other alike.
const empty = `resource empty_thing namespace {}
resource empty_thing function { depends_on = [empty_thing.namespace] }
resource empty_thing namespace_token { depends_on = [empty_thing.namespace] }
resource empty_thing function_token { depends_on = [empty_thing.function] }
`

// applyExample measures terraform apply and destroy of the README's example beside
// those of as many resources of a provider that does nothing: terraform's own part.
func applyExample(ctx context.Context, dir string) ([]measure.Result, error) {
	s, err := stage.Start(ctx, filepath.Join(dir, "apply"))
	if err != nil {
		return nil, err
	}
	if err := settled(ctx, s); err != nil {
		return nil, err
	}
	projects, err := exampleAndEmpty(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	var results []measure.Result
	took := map[string]*[2][]float64{"apply": {}, "destroy": {}}
	for round := range applyRounds + 1 {
		for side, p := range projects {
			for _, command := range []string{"apply", "destroy"} {
				wall, _, err := p.Run(ctx, command, "-auto-approve", "-input=false")
				if err != nil {
					return nil, err
				}
				if round > 0 {
					took[command][side] = append(took[command][side], wall)
				}
			}
		}
		if err := settled(ctx, s); err != nil {
			return nil, err
		}
	}
	for _, command := range []string{"apply", "destroy"} {
		results = append(results, measure.Compare(command+"-example", "s", "",
			"terraform "+command+" of the example; the reference is terraform's own part", took[command][0], took[command][1]))
	}
	_, err = s.Stop()
	return results, err
}

func exampleAndEmpty(ctx context.Context, dir string, s *stage.Server) ([]*terraform.Project, error) {
	example, err := os.ReadFile(filepath.Join("examples", "function-token", "main.tf"))
	if err != nil {
		return nil, err
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	ours, err := terraform.New(filepath.Join(dir, "example"), "hashicorp/scaleway", bin, string(example))
	if err != nil {
		return nil, err
	}
	ours.Environment = map[string]string{scw.ScwConfigPathEnv: s.Credentials}
	provider, err := terraform.BuildEmpty(ctx, filepath.Join(dir, "providers"))
	if err != nil {
		return nil, err
	}
	nothing, err := terraform.New(filepath.Join(dir, "empty"), "hashicorp/empty", filepath.Dir(provider), empty)
	return []*terraform.Project{ours, nothing}, err
}
