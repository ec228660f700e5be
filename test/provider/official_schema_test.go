package provider_test

import (
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider"
	"github.com/jeton-dev/jeton/test/official"
)

// Configurations of the official provider are valid here, and attributes have the same
// type in states of both.
func TestOfficialSchema_IsCompatible(t *testing.T) {
	t.Parallel()
	known := must(official.ReadSchema())
	server := provider.NewServer(provider.Options{Version: "test"})()
	own := must(server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}))
	for name, resource := range own.ResourceSchemas {
		if of, ok := known.Resources[name]; ok {
			compareType(t, name, of, resource)
		} else {
			t.Errorf("the official provider has no resource %s: document what its state means there", name)
		}
	}
	for name, source := range own.DataSourceSchemas {
		if of, ok := known.DataSources[name]; ok {
			compareType(t, "data "+name, of, source)
		}
	}
}

func compareType(t *testing.T, name string, of official.Type, own *tfprotov6.Schema) {
	t.Helper()
	if own.Version != 0 {
		t.Errorf("%s: got schema version %d, want 0: the official provider could not read the state", name, own.Version)
	}
	attributes := map[string]*tfprotov6.SchemaAttribute{}
	for _, attribute := range own.Block.Attributes {
		attributes[attribute.Name] = attribute
		if _, ok := of.Attributes[attribute.Name]; !ok && attribute.Required {
			t.Errorf("%s.%s is required, but the official provider does not have it", name, attribute.Name)
		}
	}
	for at, want := range of.Attributes {
		got, ok := attributes[at]
		if !ok {
			t.Errorf("%s: no attribute %s", name, at)
			continue
		}
		if form := must(want.ValueType()); !got.Type.Equal(form) {
			t.Errorf("%s.%s: got type %s, want %s", name, at, got.Type, form)
		}
		configurable := got.Required || got.Optional
		if (want.Required || want.Optional) != configurable || (got.Required && !want.Required) {
			t.Errorf("%s.%s cannot be configured as for the official provider", name, at)
		}
		if want.Computed && !got.Computed || want.Sensitive != got.Sensitive {
			t.Errorf("%s.%s: got computed %v, sensitive %v, want %v, %v", name, at, got.Computed, got.Sensitive, want.Computed, want.Sensitive)
		}
	}
	for at, notation := range of.Blocks {
		want := must(official.Attribute{Notation: notation}.ValueType())
		if !slices.ContainsFunc(own.Block.BlockTypes, func(b *tfprotov6.SchemaNestedBlock) bool {
			return b.TypeName == at && b.ValueType().Equal(want)
		}) {
			t.Errorf("%s: no block %s of type %s", name, at, want)
		}
	}
	compareTimeouts(t, name, of, own)
}

func compareTimeouts(t *testing.T, name string, of official.Type, own *tfprotov6.Schema) {
	t.Helper()
	if of.Timeouts == nil {
		return
	}
	operations := map[string]tftypes.Type{}
	for _, operation := range of.Timeouts {
		operations[operation] = tftypes.String
	}
	for _, block := range own.Block.BlockTypes {
		if block.TypeName == "timeouts" && block.Nesting == tfprotov6.SchemaNestedBlockNestingModeSingle &&
			block.Block.ValueType().Equal(tftypes.Object{AttributeTypes: operations}) {
			return
		}
	}
	t.Errorf("%s: no block timeouts with %v", name, of.Timeouts)
}
