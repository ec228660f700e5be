package locality_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/locality"
)

const (
	uuid     = "11111111-1111-4111-8111-111111111111"
	regional = "fr-par/" + uuid
	zonal    = "fr-par-1/" + uuid
)

// call calls a provider function with strings; nil is null.
func call(t *testing.T, construct func() function.Function, arguments ...any) (string, *function.FuncError) {
	t.Helper()
	var values []attr.Value
	for _, argument := range arguments {
		if text, ok := argument.(string); ok {
			values = append(values, types.StringValue(text))
		} else {
			values = append(values, types.StringNull())
		}
	}
	f := construct()
	var definition function.DefinitionResponse
	f.Definition(t.Context(), function.DefinitionRequest{}, &definition)
	result, err := definition.Definition.Return.NewResultData(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp := function.RunResponse{Result: result}
	f.Run(t.Context(), function.RunRequest{Arguments: function.NewArgumentsData(values)}, &resp)
	if text, ok := resp.Result.Value().(types.String); ok {
		return text.ValueString(), resp.Error
	}
	return resp.Result.Value().String(), resp.Error
}

func TestFunctions_ReturnPartsOfIDs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		function  func() function.Function
		arguments []any
		want      string
		err       string
	}{
		"region":                       {locality.NewRegionFromID, []any{regional, nil}, "fr-par", ""},
		"region, zonal ID":             {locality.NewRegionFromID, []any{zonal, nil}, "", "does not begin with a region"},
		"region, default":              {locality.NewRegionFromID, []any{uuid, "nl-ams"}, "nl-ams", ""},
		"region, null":                 {locality.NewRegionFromID, []any{nil, "nl-ams"}, "nl-ams", ""},
		"region, empty default":        {locality.NewRegionFromID, []any{uuid, ""}, "", ""},
		"zone":                         {locality.NewZoneFromID, []any{zonal, nil}, "fr-par-1", ""},
		"zone, regional ID":            {locality.NewZoneFromID, []any{regional, nil}, "", "does not begin with a zone"},
		"UUID of a regional ID":        {locality.NewIDFromRegionalID, []any{regional, nil}, uuid, ""},
		"UUID of a UUID":               {locality.NewIDFromRegionalID, []any{uuid, nil}, uuid, ""},
		"UUID of a zonal ID":           {locality.NewIDFromRegionalID, []any{zonal, nil}, "", "not an ID in the form region/uuid"},
		"UUID of a region":             {locality.NewIDFromRegionalID, []any{"fr-par/", nil}, "", "pass a default"},
		"zonal, UUID":                  {locality.NewIDFromZonalID, []any{zonal, nil}, uuid, ""},
		"zonal, UUID of a regional ID": {locality.NewIDFromZonalID, []any{regional, nil}, "", "not an ID in the form zone/uuid"},
		"build":                        {locality.NewRegionalID, []any{"fr-par", uuid}, regional, ""},
		"build, regional ID":           {locality.NewRegionalID, []any{"fr-par", regional}, regional, ""},
		"build, another region":        {locality.NewRegionalID, []any{"nl-ams", regional}, "", "not in region"},
		"build, invalid region":        {locality.NewRegionalID, []any{"Paris", uuid}, "", "not a valid region"},
		"build, name":                  {locality.NewRegionalID, []any{"fr-par", "main"}, "", "neither an ID"},
		"parse":                        {locality.NewParseRegionalID, []any{regional}, `{"id":"` + uuid + `","region":"fr-par"}`, ""},
		"parse, UUID":                  {locality.NewParseRegionalID, []any{uuid}, "", "region/uuid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := call(t, test.function, test.arguments...)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v, want one that contains %q", err, test.err)
				}
				return
			}
			if err != nil || got != test.want {
				t.Errorf("got %q and error %v, want %q", got, err, test.want)
			}
		})
	}
}
