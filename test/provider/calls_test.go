package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// TestProviderFunctions calls the provider's functions from a configuration.
func TestProviderFunctions(t *testing.T) {
	t.Parallel()
	w := start(t)
	const required = `
terraform {
  required_providers {
    scaleway = { source = "hashicorp/scaleway" }
  }
}
`
	output := func(expression string) string {
		return w.config("%s", required+"output \"it\" { value = "+expression+" }\n")
	}
	const uuid = "11111111-1111-4111-8111-111111111111"
	uuidForm := knownvalue.StringRegexp(regexp.MustCompile(`^[0-9a-f-]{36}$`))
	instant := knownvalue.StringRegexp(regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`))
	// The last step must succeed, so that everything can be destroyed.
	var steps []resource.TestStep
	for expression, want := range map[string]string{
		`provider::scaleway::regional_id("Paris", "` + uuid + `")`:          `is\s+not\s+a\s+valid\s+region`,
		`provider::scaleway::regional_id("fr-par", "main")`:                 `neither\s+an\s+ID`,
		`provider::scaleway::regional_id("fr-par", "nl-ams/` + uuid + `")`:  `is\s+not\s+in\s+region`,
		`provider::scaleway::parse_regional_id("` + uuid + `")`:             `region/uuid`,
		`provider::scaleway::region_from_id("` + uuid + `", null)`:          `does\s+not\s+begin\s+with\s+a\s+region`,
		`provider::scaleway::region_from_id("fr-par-1/` + uuid + `", null)`: `does\s+not\s+begin\s+with\s+a\s+region`,
		`provider::scaleway::zone_from_id("fr-par/` + uuid + `", null)`:     `does\s+not\s+begin\s+with\s+a\s+zone`,
		`provider::scaleway::id_from_regional_id("main", null)`:             `region/uuid`,
		`provider::scaleway::id_from_regional_id(null, null)`:               `region/uuid`,
		`provider::scaleway::id_from_zonal_id("fr-par/` + uuid + `", null)`: `zone/uuid`,
		`provider::scaleway::token_claims("secret")`:                        `not\s+a\s+token:`,
		`provider::scaleway::token_claims("a.e30.b")`:                       `second\s+part`,
	} {
		steps = append(steps, resource.TestStep{Config: output(expression), ExpectError: regexp.MustCompile(want)})
	}
	steps = append(steps, resource.TestStep{
		Config: w.config("%s", required+namespaceToken(`expires_at = "2040-01-31T13:00:00+01:00"`)+`
output "claims" { value = nonsensitive(provider::scaleway::token_claims(scaleway_function_token.main.token)) }
`),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("claims", knownvalue.ObjectExact(map[string]knownvalue.Check{
				"id": uuidForm, "function_id": knownvalue.Null(), "namespace_id": uuidForm,
				"issued_at": instant, "not_before": instant, "expires_at": knownvalue.StringExact("2040-01-31T12:00:00Z"),
				"issuer": knownvalue.StringExact("SCALEWAY"), "audience": knownvalue.StringExact("functions"), "subject": knownvalue.StringExact("token"),
			})),
			statecheck.ExpectKnownValue(tokenAddress, tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^fr-par/`))),
		},
	})
	for expression, want := range map[string]string{
		`provider::scaleway::regional_id("fr-par", "` + uuid + `")`:            "fr-par/" + uuid,
		`provider::scaleway::regional_id("nl-ams", "nl-ams/` + uuid + `")`:     "nl-ams/" + uuid,
		`provider::scaleway::parse_regional_id("pl-waw/` + uuid + `").region`:  "pl-waw",
		`provider::scaleway::parse_regional_id("pl-waw/` + uuid + `").id`:      uuid,
		`provider::scaleway::region_from_id("pl-waw/` + uuid + `", null)`:      "pl-waw",
		`provider::scaleway::region_from_id("` + uuid + `", "nl-ams")`:         "nl-ams",
		`provider::scaleway::region_from_id(null, "nl-ams")`:                   "nl-ams",
		`provider::scaleway::zone_from_id("fr-par-2/` + uuid + `", null)`:      "fr-par-2",
		`provider::scaleway::zone_from_id("` + uuid + `", "fr-par-1")`:         "fr-par-1",
		`provider::scaleway::id_from_regional_id("fr-par/` + uuid + `", null)`: uuid,
		`provider::scaleway::id_from_regional_id("` + uuid + `", null)`:        uuid,
		`provider::scaleway::id_from_regional_id("", "none")`:                  "none",
		`provider::scaleway::id_from_zonal_id("fr-par-1/` + uuid + `", null)`:  uuid,
	} {
		steps = append(steps, resource.TestStep{Config: output(expression), ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownOutputValue("it", knownvalue.StringExact(want)),
		}})
	}
	w.run(t, steps...)
}
