// Package providertest validates configurations with the whole provider, for the unit
// tests of its resources. It starts no Terraform and calls no API.
package providertest

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider"
)

// ID is the regional ID of an object, for references.
const ID = "fr-par/11111111-1111-4111-8111-111111111111"

// Config is a configuration: the values of arguments by name. A value is a string, an
// int, a map[string]string, a []Config for a list of blocks, a map[string]tftypes.Value
// for a single block, or tftypes.UnknownValue. Missing arguments are null.
type Config map[string]any

// With returns a copy of the configuration with other arguments.
func (c Config) With(others Config) Config {
	merged := Config{}
	for name, value := range c {
		merged[name] = value
	}
	for name, value := range others {
		merged[name] = value
	}
	return merged
}

// ValidationTest is a configuration and the diagnostic that it must cause.
type ValidationTest struct {
	Config Config
	// Want is a part of the detail of the only diagnostic; "" means that the
	// configuration is valid.
	Want string
	// Attribute is the argument of the diagnostic; "" means the whole configuration.
	Attribute string
}

// RunValidation runs each test as a parallel subtest. No diagnostic may contain the
// text "s3cr3t".
func RunValidation(t *testing.T, resourceType string, tests map[string]ValidationTest) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			diagnostics := Validate(t, resourceType, test.Config)
			if test.Want == "" {
				for _, d := range diagnostics {
					t.Errorf("got diagnostic %q: %q, want none", d.Summary, d.Detail)
				}
				return
			}
			if len(diagnostics) != 1 {
				t.Fatalf("got %d diagnostics, want 1: %v", len(diagnostics), diagnostics)
			}
			detail := diagnostics[0].Detail
			if !strings.Contains(detail, test.Want) {
				t.Errorf("got detail %q, want it to contain %q", detail, test.Want)
			}
			if strings.Contains(detail, "s3cr3t") {
				t.Errorf("detail %q contains a secret", detail)
			}
			if got := attributeOf(diagnostics[0]); got != test.Attribute {
				t.Errorf("got attribute %q, want %q", got, test.Attribute)
			}
		})
	}
}

// Validate returns the diagnostics of the provider for a configuration of a resource.
func Validate(t *testing.T, resourceType string, config Config) []*tfprotov6.Diagnostic {
	t.Helper()
	server := provider.NewServer(provider.Options{Version: "test"})()
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	object, ok := schemas.ResourceSchemas[resourceType].ValueType().(tftypes.Object)
	if !ok {
		t.Fatalf("the schema of %s is not an object", resourceType)
	}
	value, err := tfprotov6.NewDynamicValue(object, tftypes.NewValue(object, config.values(object)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: resourceType, Config: &value})
	if err != nil {
		t.Fatal(err)
	}
	return resp.Diagnostics
}

// values returns a value for each attribute of the object.
func (c Config) values(object tftypes.Object) map[string]tftypes.Value {
	given := map[string]tftypes.Value{}
	for name, attributeType := range object.AttributeTypes {
		switch value := c[name].(type) {
		case map[string]string:
			elements := map[string]tftypes.Value{}
			for key, text := range value {
				elements[key] = tftypes.NewValue(tftypes.String, text)
			}
			given[name] = tftypes.NewValue(attributeType, elements)
		case []Config:
			list, _ := attributeType.(tftypes.List)
			element, _ := list.ElementType.(tftypes.Object)
			blocks := []tftypes.Value{}
			for _, block := range value {
				blocks = append(blocks, tftypes.NewValue(element, block.values(element)))
			}
			given[name] = tftypes.NewValue(attributeType, blocks)
		default:
			given[name] = tftypes.NewValue(attributeType, value)
		}
	}
	return given
}

// attributeOf returns the name of the top-level attribute of a diagnostic, or "".
func attributeOf(d *tfprotov6.Diagnostic) string {
	if d.Attribute == nil {
		return ""
	}
	name, _ := d.Attribute.Steps()[0].(tftypes.AttributeName)
	return string(name)
}
