package tfkit_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

const uuid = "11111111-1111-4111-8111-111111111111"

func TestCheckReference_RequiresTheRegion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value      types.String
		want       string
		diagnostic string
	}{
		"UUID":           {types.StringValue(uuid), uuid, ""},
		"same region":    {types.StringValue("fr-par/" + uuid), uuid, ""},
		"null":           {types.StringNull(), "", ""},
		"unknown":        {types.StringUnknown(), "", ""},
		"empty":          {types.StringValue(""), "", ""},
		"name":           {types.StringValue("main"), "", "write it like fr-par/"},
		"another region": {types.StringValue("nl-ams/" + uuid), uuid, `set region = "nl-ams", or reference an object in "fr-par"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var diags diag.Diagnostics
			if got := tfkit.CheckReference(&diags, "function_id", test.value, scw.RegionFrPar); got != test.want {
				t.Errorf("CheckReference() = %q, want %q", got, test.want)
			}
			if test.diagnostic == "" {
				if len(diags) != 0 {
					t.Errorf("got diagnostics %v, want none", diags)
				}
				return
			}
			if len(diags) != 1 || !strings.Contains(diags[0].Detail(), test.diagnostic) {
				t.Errorf("got diagnostics %v, want one that contains %q", diags, test.diagnostic)
			}
		})
	}
}

func TestRegionOf_DefaultsToReferencesThenTheProvider(t *testing.T) {
	t.Parallel()
	connection, err := client.New(&client.Profile{Profile: &scw.Profile{
		AccessKey: new("SCW11111111111111111"), SecretKey: new(uuid), DefaultRegion: new("pl-waw"),
	}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	backend := &tfkit.Backend{Client: connection}
	bare, inAmsterdam := types.StringValue(uuid), types.StringValue("nl-ams/"+uuid)
	for name, test := range map[string]struct {
		configured types.String
		references []types.String
		want       scw.Region
	}{
		"configured":       {types.StringValue("fr-par"), []types.String{inAmsterdam}, scw.RegionFrPar},
		"reference":        {types.StringNull(), []types.String{bare, inAmsterdam}, scw.RegionNlAms},
		"provider":         {types.StringNull(), []types.String{bare, types.StringNull()}, scw.RegionPlWaw},
		"empty, reference": {types.StringValue(""), []types.String{inAmsterdam}, scw.RegionNlAms},
	} {
		if got := backend.RegionOf(test.configured, test.references...); got != test.want {
			t.Errorf("%s: RegionOf() = %s, want %s", name, got, test.want)
		}
	}
}
