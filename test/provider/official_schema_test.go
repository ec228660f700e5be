package provider_test

import (
	"encoding/json"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider"
)

// officialSchema is what the official provider's resources and data sources are,
// written down from its code of August 2026. All are of schema version 0.
type officialSchema struct {
	Resources   map[string]officialType `json:"resources"`
	DataSources map[string]officialType `json:"data_sources"`
}

type officialType struct {
	Attributes map[string]officialAttribute `json:"attributes"`
	// Timeouts are the operations of the timeouts block.
	Timeouts []string `json:"timeouts"`
}

type officialAttribute struct {
	// Type is written as Terraform writes types in JSON.
	Type      json.RawMessage `json:"type"`
	Required  bool            `json:"required"`
	Optional  bool            `json:"optional"`
	Computed  bool            `json:"computed"`
	Sensitive bool            `json:"sensitive"`
}

func readOfficialSchema(t *testing.T) officialSchema {
	t.Helper()
	var schema officialSchema
	if err := json.Unmarshal([]byte(testdata(t, "official-schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

func (a officialAttribute) valueType() tftypes.Type {
	//nolint:staticcheck // Terraform's notation of types has no other reader outside of Terraform.
	return must(tftypes.ParseJSONType(a.Type))
}

// TestOfficialSchema: what may be written in a configuration of the official
// provider may be written here, and what stands in a state has the same type in
// both.
func TestOfficialSchema(t *testing.T) {
	t.Parallel()
	official := readOfficialSchema(t)
	server := must(providerserver.NewProtocol6WithError(provider.New(provider.Options{Version: "test"})())())
	own := must(server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	for name, resource := range own.ResourceSchemas {
		if known, ok := official.Resources[name]; ok {
			known.compare(t, name, resource)
		} else {
			t.Errorf("the official provider has no resource %s: write down what a state of it would mean there", name)
		}
	}
	for name, source := range own.DataSourceSchemas {
		if known, ok := official.DataSources[name]; ok {
			known.compare(t, "data "+name, source)
		}
	}
}

func (o officialType) compare(t *testing.T, name string, own *tfprotov6.Schema) {
	t.Helper()
	if own.Version != 0 {
		t.Errorf("%s has schema version %d: the official provider could not read its state", name, own.Version)
	}
	attributes := map[string]*tfprotov6.SchemaAttribute{}
	for _, attribute := range own.Block.Attributes {
		attributes[attribute.Name] = attribute
		if _, ok := o.Attributes[attribute.Name]; !ok && attribute.Required {
			t.Errorf("%s.%s is required, and configurations for the official provider do not have it", name, attribute.Name)
		}
	}
	for at, want := range o.Attributes {
		got, ok := attributes[at]
		if !ok {
			t.Errorf("%s has no %s", name, at)
			continue
		}
		if !got.Type.Equal(want.valueType()) {
			t.Errorf("%s.%s is of type %s, want %s", name, at, got.Type, want.valueType())
		}
		configurable := got.Required || got.Optional
		if (want.Required || want.Optional) != configurable || (got.Required && !want.Required) {
			t.Errorf("%s.%s may not be written as for the official provider", name, at)
		}
		if want.Computed && !got.Computed || want.Sensitive != got.Sensitive {
			t.Errorf("%s.%s: computed %v, sensitive %v; want computed %v, sensitive %v", name, at, got.Computed, got.Sensitive, want.Computed, want.Sensitive)
		}
	}
	o.compareTimeouts(t, name, own)
}

func (o officialType) compareTimeouts(t *testing.T, name string, own *tfprotov6.Schema) {
	t.Helper()
	if o.Timeouts == nil {
		return
	}
	operations := map[string]tftypes.Type{}
	for _, operation := range o.Timeouts {
		operations[operation] = tftypes.String
	}
	for _, block := range own.Block.BlockTypes {
		if block.TypeName == "timeouts" && block.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle &&
			block.Block.ValueType().Equal(tftypes.Object{AttributeTypes: operations}) {
			return
		}
	}
	t.Errorf("%s has no block timeouts with %v", name, o.Timeouts)
}
