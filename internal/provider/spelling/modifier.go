package spelling

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// The modifiers are for attributes that are optional and computed. They plan "", [] or {}
// for an attribute that is not configured, as in the states of the official provider.
// Terraform allows that only for computed attributes.

// String returns a modifier that keeps the prior spelling of a string if the configured
// one is equal by same.
func String(same Same) planmodifier.String {
	return stringModifier{same: same}
}

type stringModifier struct{ same Same }

// Description implements planmodifier.Describer.
func (stringModifier) Description(context.Context) string {
	return "Another spelling of the same value is not a change."
}

// MarkdownDescription implements planmodifier.Describer.
func (m stringModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String. It does not keep a prior null for a
// configured "": Terraform accepts a plan that differs from the configuration only if it
// keeps a prior value that is not null.
func (m stringModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	resp.PlanValue = OrEmpty(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return
	}
	resp.PlanValue = Keep(req.StateValue, resp.PlanValue, m.same)
}

// Map returns a modifier that keeps the prior map if it and the configured map are empty or
// null.
func Map() planmodifier.Map {
	return mapModifier{}
}

type mapModifier struct{}

// Description implements planmodifier.Describer.
func (mapModifier) Description(context.Context) string {
	return "A null map and an empty map are the same."
}

// MarkdownDescription implements planmodifier.Describer.
func (m mapModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyMap implements planmodifier.Map.
func (mapModifier) PlanModifyMap(_ context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	resp.PlanValue = keepPlannedMap(req)
}

// keepPlannedMap returns the prior map if it and the configured map are empty or null, and
// the configured one otherwise.
func keepPlannedMap(req planmodifier.MapRequest) types.Map {
	configured := OrEmptyMap(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return configured
	}
	return KeepMap(req.StateValue, configured)
}

// List returns a modifier that keeps the prior list if it and the configured list are empty
// or null.
func List() planmodifier.List {
	return listModifier{}
}

type listModifier struct{}

// Description implements planmodifier.Describer.
func (listModifier) Description(context.Context) string {
	return "A null list and an empty list are the same."
}

// MarkdownDescription implements planmodifier.Describer.
func (m listModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyList implements planmodifier.List.
func (listModifier) PlanModifyList(_ context.Context, req planmodifier.ListRequest, resp *planmodifier.ListResponse) {
	resp.PlanValue = OrEmptyList(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return
	}
	resp.PlanValue = KeepList(req.StateValue, resp.PlanValue)
}

// Secrets returns a modifier that keeps the prior map of secrets or hashes if it contains
// exactly the configured secrets. If one secret differs, it plans the whole configured map,
// because Terraform does not accept a mixture.
func Secrets() planmodifier.Map {
	return secretsModifier{}
}

type secretsModifier struct{}

// Description implements planmodifier.Describer.
func (secretsModifier) Description(context.Context) string {
	return "A secret and its hash are the same."
}

// MarkdownDescription implements planmodifier.Describer.
func (m secretsModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyMap implements planmodifier.Map.
func (secretsModifier) PlanModifyMap(_ context.Context, req planmodifier.MapRequest, resp *planmodifier.MapResponse) {
	resp.PlanValue = keepPlannedMap(req)
	if !req.StateValue.IsNull() && !req.ConfigValue.IsNull() && secretsMatch(req.ConfigValue, req.StateValue) {
		resp.PlanValue = req.StateValue
	}
}

// Switch returns a modifier that plans false for a boolean that is not configured. It keeps
// a prior null, which the official provider sets in an import.
func Switch() planmodifier.Bool {
	return switchModifier{}
}

type switchModifier struct{}

// Description implements planmodifier.Describer.
func (switchModifier) Description(context.Context) string {
	return "A boolean that is not configured is false."
}

// MarkdownDescription implements planmodifier.Describer.
func (m switchModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyBool implements planmodifier.Bool.
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
