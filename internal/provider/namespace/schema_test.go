package namespace_test

import (
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/providertest"
)

type arguments = providertest.Config

func TestValidateConfig_NamesTheArgumentAndTheCorrection(t *testing.T) {
	t.Parallel()
	providertest.RunValidation(t, "scaleway_function_namespace", map[string]providertest.ValidationTest{
		"valid":                     {Config: arguments{"name": "Test-1"}},
		"no name":                   {Config: arguments{}},
		"digit first":               {Config: arguments{"name": "1test"}, Want: "begins with a letter", Attribute: "name"},
		"hyphen last":               {Config: arguments{"name": "test-"}, Want: "ends with a letter or digit", Attribute: "name"},
		"empty name":                {Config: arguments{"name": ""}},
		"invalid project_id":        {Config: arguments{"project_id": "mine"}, Want: "11111111-1111-1111-1111-111111111111", Attribute: "project_id"},
		"invalid region":            {Config: arguments{"region": "../fr-par"}, Want: "write fr-par, nl-ams or pl-waw", Attribute: "region"},
		"region not in the list":    {Config: arguments{"region": "xx-new"}},
		"long variable":             {Config: arguments{"environment_variables": map[string]string{"A": strings.Repeat("x", 1001)}}},
		"long variable name":        {Config: arguments{"environment_variables": map[string]string{strings.Repeat("x", 101): ""}}, Want: "between 1 and 100", Attribute: "environment_variables"},
		"long secret":               {Config: arguments{"secret_environment_variables": map[string]string{"A": strings.Repeat("s3cr3t", 11000)}}},
		"secret as long as a token": {Config: arguments{"secret_environment_variables": map[string]string{"A": strings.Repeat("x", 1063)}}},
	})
}
