package spelling

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The modifiers are for attributes that are optional and computed. They plan "", []
// or {} for an attribute that is not configured, as in the official provider's
// states, and Terraform accepts that only for a computed attribute.

// String returns a modifier that plans the prior value of a string if the configured
// value is equivalent.
func String(same Same) planmodifier.String {
	return stringModifier{same: same}
}

type stringModifier struct{ same Same }

func (stringModifier) Description(context.Context) string {
	return "An equivalent value is not a change."
}

func (m stringModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String. It does not plan a prior null for
// a configured "": Terraform accepts a plan that differs from the configuration only
// if it equals a prior value that is not null.
func (m stringModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	resp.PlanValue = OrEmpty(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return
	}
	resp.PlanValue = Keep(req.StateValue, resp.PlanValue, m.same)
}

// Map returns a modifier that plans the prior value of a map if both it and the
// configured value are empty.
func Map() planmodifier.Map {
	return mapModifier{}
}

type mapModifier struct{}

func (mapModifier) Description(context.Context) string {
	return "Null and an empty map are equivalent."
}

func (m mapModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (mapModifier) PlanModifyMap(_ context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	resp.PlanValue = keepPlannedMap(req)
}

func keepPlannedMap(req planmodifier.MapRequest) types.Map {
	wanted := OrEmptyMap(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return wanted
	}
	return KeepMap(req.StateValue, wanted)
}

// List returns a modifier that plans the prior value of a list if both it and the
// configured value are empty.
func List() planmodifier.List {
	return listModifier{}
}

type listModifier struct{}

func (listModifier) Description(context.Context) string {
	return "Null and an empty list are equivalent."
}

func (m listModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (listModifier) PlanModifyList(_ context.Context, req planmodifier.ListRequest, resp *planmodifier.ListResponse) {
	resp.PlanValue = OrEmptyList(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return
	}
	resp.PlanValue = KeepList(req.StateValue, resp.PlanValue)
}

// Secrets returns a modifier that plans the prior map of secrets or of their hashes
// if it matches all configured secrets. If one secret differs, the whole configured
// map is planned, because Terraform does not accept a mixture.
func Secrets() planmodifier.Map {
	return secretsModifier{}
}

type secretsModifier struct{}

func (secretsModifier) Description(context.Context) string {
	return "A secret and its hash are equivalent."
}

func (m secretsModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (secretsModifier) PlanModifyMap(_ context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	resp.PlanValue = keepPlannedMap(req)
	if !req.StateValue.IsNull() && !req.ConfigValue.IsNull() && secretsMatch(req.ConfigValue, req.StateValue) {
		resp.PlanValue = req.StateValue
	}
}

// Switch returns a modifier for a boolean that is not configured: it plans false, or
// null if the prior value is null, as after an import by the official provider.
func Switch() planmodifier.Bool {
	return switchModifier{}
}

type switchModifier struct{}

func (switchModifier) Description(context.Context) string {
	return "A boolean that is not configured is false."
}

func (m switchModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

func (switchModifier) PlanModifyBool(_ context.Context, req planmodifier.BoolRequest, resp *planmodifier.BoolResponse) {
	switch {
	case !req.ConfigValue.IsNull():
		resp.PlanValue = req.ConfigValue
	case !req.State.Raw.IsNull() && req.StateValue.IsNull():
		resp.PlanValue = req.StateValue
	default:
		resp.PlanValue = types.BoolValue(false)
	}
}
