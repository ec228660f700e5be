package spelling

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Every modifier here belongs to an attribute that is optional and computed:
// Terraform lets a provider plan "" for what the configuration leaves out only
// if the attribute is computed. All of them plan "", [] or {} for what is left
// out, which is what the official provider's states hold.

// String plans the prior spelling of a string where the configuration says the
// same in other words.
func String(same Same) planmodifier.String {
	return stringModifier{same: same}
}

type stringModifier struct{ same Same }

func (stringModifier) Description(context.Context) string {
	return "Another spelling of the same value is no change."
}

func (m stringModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String. A prior null can not stand
// for a configured "": Terraform accepts a plan that differs from the
// configuration only where it repeats a prior value that is not null.
func (m stringModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	resp.PlanValue = OrEmpty(req.ConfigValue)
	if req.State.Raw.IsNull() || (req.StateValue.IsNull() && !req.ConfigValue.IsNull()) {
		return
	}
	resp.PlanValue = Keep(req.StateValue, resp.PlanValue, m.same)
}

// Map plans the prior value of a map where both it and the configuration are
// empty.
func Map() planmodifier.Map {
	return mapModifier{}
}

type mapModifier struct{}

func (mapModifier) Description(context.Context) string {
	return "No map and an empty map are the same."
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

// List plans the prior value of a list where both it and the configuration are
// empty.
func List() planmodifier.List {
	return listModifier{}
}

type listModifier struct{}

func (listModifier) Description(context.Context) string {
	return "No list and an empty list are the same."
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

// Secrets plans the prior map of secrets, most often their hashes, where it
// holds exactly the secrets that the configuration names. A map in which one
// secret differs is planned as configured, as a whole: Terraform allows no
// mixture.
func Secrets() planmodifier.Map {
	return secretsModifier{}
}

type secretsModifier struct{}

func (secretsModifier) Description(context.Context) string {
	return "A secret and its hash are the same."
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

// Switch plans a switch that the configuration leaves out: off, and null where
// it was null, as the official provider leaves it after an import.
func Switch() planmodifier.Bool {
	return switchModifier{}
}

type switchModifier struct{}

func (switchModifier) Description(context.Context) string {
	return "A switch that is left out is off."
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
