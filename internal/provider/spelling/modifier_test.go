package spelling_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

const (
	bare     = "7b7861e8-205f-4432-950b-310a018d8403"
	inParis  = "fr-par/" + bare
	inWarsaw = "pl-waw/7b7861e8-205f-4432-950b-310a018d8404"
)

// noState is the state of an object that does not exist yet, and someState that of
// an existing one. Modifiers use nothing else of a state.
var (
	noState   = tfsdk.State{Raw: tftypes.NewValue(tftypes.Object{}, nil)}
	someState = tfsdk.State{Raw: tftypes.NewValue(tftypes.Object{}, map[string]tftypes.Value{})}
)

func TestString_KeepsEquivalentPriorValue(t *testing.T) {
	t.Parallel()
	null, empty, unknown := types.StringNull(), types.StringValue(""), types.StringUnknown()
	tests := map[string]struct {
		same                spelling.Same
		state               tfsdk.State
		prior, config, want types.String
	}{
		"create without":                {spelling.Text, noState, null, null, types.StringValue("")},
		"create with":                   {spelling.Text, noState, null, types.StringValue("a"), types.StringValue("a")},
		"official empty, left out":      {spelling.Text, someState, empty, null, empty},
		"null, left out":                {spelling.Text, someState, null, null, null},
		"null, configured empty":        {spelling.Text, someState, null, empty, empty},
		"empty, configured empty":       {spelling.Text, someState, empty, empty, empty},
		"set, left out":                 {spelling.Text, someState, types.StringValue("a"), null, types.StringValue("")},
		"set, another":                  {spelling.Text, someState, types.StringValue("a"), types.StringValue("b"), types.StringValue("b")},
		"set, not known yet":            {spelling.Text, someState, types.StringValue("a"), unknown, unknown},
		"bare, configured regional":     {spelling.Reference, someState, types.StringValue(bare), types.StringValue(inParis), types.StringValue(bare)},
		"regional, configured bare":     {spelling.Reference, someState, types.StringValue(inParis), types.StringValue(bare), types.StringValue(inParis)},
		"bare, configured another":      {spelling.Reference, someState, types.StringValue(bare), types.StringValue(inWarsaw), types.StringValue(inWarsaw)},
		"UTC, configured another zone":  {spelling.Instant, someState, types.StringValue("2027-10-18T09:35:15Z"), types.StringValue("2027-10-18T11:35:15+02:00"), types.StringValue("2027-10-18T09:35:15Z")},
		"a fraction of a second":        {spelling.Instant, someState, types.StringValue("2027-10-18T09:35:15Z"), types.StringValue("2027-10-18T09:35:15.999Z"), types.StringValue("2027-10-18T09:35:15Z")},
		"a second later":                {spelling.Instant, someState, types.StringValue("2027-10-18T09:35:15Z"), types.StringValue("2027-10-18T09:35:16Z"), types.StringValue("2027-10-18T09:35:16Z")},
		"an hour later":                 {spelling.Instant, someState, types.StringValue("2027-10-18T09:35:15Z"), types.StringValue("2027-10-18T10:35:15Z"), types.StringValue("2027-10-18T10:35:15Z")},
		"official empty time, left out": {spelling.Instant, someState, empty, null, empty},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := planmodifier.StringRequest{State: test.state, StateValue: test.prior, ConfigValue: test.config, PlanValue: types.StringUnknown()}
			resp := planmodifier.StringResponse{PlanValue: req.PlanValue}
			spelling.String(test.same).PlanModifyString(t.Context(), req, &resp)
			if !resp.PlanValue.Equal(test.want) {
				t.Errorf("planned %s, want %s", resp.PlanValue, test.want)
			}
		})
	}
}

func TestMap_KeepsEmptyPriorValue(t *testing.T) {
	t.Parallel()
	null, empty, one := types.MapNull(types.StringType), texts(), texts("a", "1")
	tests := map[string]struct {
		state               tfsdk.State
		prior, config, want types.Map
	}{
		"create without":         {noState, null, null, texts()},
		"null, left out":         {someState, null, null, null},
		"empty, left out":        {someState, empty, null, empty},
		"null, configured empty": {someState, null, empty, empty},
		"set, left out":          {someState, one, null, texts()},
		"set, another":           {someState, one, texts("a", "2"), texts("a", "2")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := planmodifier.MapRequest{State: test.state, StateValue: test.prior, ConfigValue: test.config}
			resp := planmodifier.MapResponse{PlanValue: types.MapUnknown(types.StringType)}
			spelling.Map().PlanModifyMap(t.Context(), req, &resp)
			if !resp.PlanValue.Equal(test.want) {
				t.Errorf("planned %s, want %s", resp.PlanValue, test.want)
			}
		})
	}
}

func TestList_KeepsEmptyPriorValue(t *testing.T) {
	t.Parallel()
	null := types.ListNull(types.StringType)
	list := func(texts ...string) types.List {
		values := []attr.Value{}
		for _, text := range texts {
			values = append(values, types.StringValue(text))
		}
		return types.ListValueMust(types.StringType, values)
	}
	tests := map[string]struct {
		state               tfsdk.State
		prior, config, want types.List
	}{
		"create without":         {noState, null, null, list()},
		"empty, left out":        {someState, list(), null, list()},
		"null, configured empty": {someState, null, list(), list()},
		"set, left out":          {someState, list("a"), null, list()},
		"another order":          {someState, list("a", "b"), list("b", "a"), list("b", "a")},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := planmodifier.ListRequest{State: test.state, StateValue: test.prior, ConfigValue: test.config}
			resp := planmodifier.ListResponse{PlanValue: types.ListUnknown(types.StringType)}
			spelling.List().PlanModifyList(t.Context(), req, &resp)
			if !resp.PlanValue.Equal(test.want) {
				t.Errorf("planned %s, want %s", resp.PlanValue, test.want)
			}
		})
	}
}

func TestSecrets_KeepsPriorValueIfAllMatch(t *testing.T) {
	t.Parallel()
	hashed := texts("a", hash(t, "1"), "b", hash(t, "2"))
	tests := map[string]struct {
		prior, config, want types.Map
	}{
		"the hashed secrets":     {hashed, texts("a", "1", "b", "2"), hashed},
		"one secret changed":     {hashed, texts("a", "1", "b", "3"), texts("a", "1", "b", "3")},
		"one secret removed":     {hashed, texts("a", "1"), texts("a", "1")},
		"one secret added":       {hashed, texts("a", "1", "b", "2", "c", "3"), texts("a", "1", "b", "2", "c", "3")},
		"all secrets left out":   {hashed, types.MapNull(types.StringType), texts()},
		"in clear as configured": {texts("a", "1"), texts("a", "1"), texts("a", "1")},
		"not known yet":          {hashed, types.MapUnknown(types.StringType), types.MapUnknown(types.StringType)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := planmodifier.MapRequest{State: someState, StateValue: test.prior, ConfigValue: test.config}
			resp := planmodifier.MapResponse{PlanValue: types.MapUnknown(types.StringType)}
			spelling.Secrets().PlanModifyMap(t.Context(), req, &resp)
			if !resp.PlanValue.Equal(test.want) {
				t.Errorf("planned %s, want %s", resp.PlanValue, test.want)
			}
		})
	}
}

func TestSwitch_IsFalseIfNotConfigured(t *testing.T) {
	t.Parallel()
	null, on, off := types.BoolNull(), types.BoolValue(true), types.BoolValue(false)
	tests := map[string]struct {
		state               tfsdk.State
		prior, config, want types.Bool
	}{
		"create without":             {noState, null, null, off},
		"create with":                {noState, null, on, on},
		"imported by the official":   {someState, null, null, null},
		"on, left out":               {someState, on, null, off},
		"off, left out":              {someState, off, null, off},
		"imported, then switched on": {someState, null, on, on},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := planmodifier.BoolRequest{State: test.state, StateValue: test.prior, ConfigValue: test.config}
			resp := planmodifier.BoolResponse{PlanValue: types.BoolUnknown()}
			spelling.Switch().PlanModifyBool(t.Context(), req, &resp)
			if !resp.PlanValue.Equal(test.want) {
				t.Errorf("planned %s, want %s", resp.PlanValue, test.want)
			}
		})
	}
}

// texts returns a map of alternating keys and values.
func texts(keysAndValues ...string) types.Map {
	values := map[string]attr.Value{}
	for i := 0; i < len(keysAndValues); i += 2 {
		values[keysAndValues[i]] = types.StringValue(keysAndValues[i+1])
	}
	return types.MapValueMust(types.StringType, values)
}
