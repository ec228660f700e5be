package tfkit

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

func RegionAttribute() schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "The region; the provider's by default. Another region makes another object.",
		Validators:          []validator.String{RegionName()},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// PlanRegion decides the region of an object that is to be made, warns of a
// region that serves no functions, and replaces an object whose region changes.
// The region of an object that exists is the one in its id: the official provider
// leaves the attribute of tokens and triggers null, even where it is configured.
func (b *BaseResource) PlanRegion(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	at := path.Root("region")
	var planned, id types.String
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, at, &planned)...)
	var configured types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, at, &configured)...)
	if req.State.Raw.IsNull() && configured.IsNull() && b.Backend != nil {
		planned = types.StringValue(b.Backend.Region().String())
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, at, planned)...)
	}
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	}
	current, err := regional.Parse(id.ValueString())
	if err == nil && planned.IsNull() {
		planned = types.StringValue(current.Region.String())
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, at, planned)...)
	}
	if planned.IsNull() || planned.IsUnknown() {
		return
	}
	if !regional.Known(planned.ValueString()) {
		resp.Diagnostics.AddAttributeWarning(at, "Unknown region",
			Quote(planned.ValueString())+" is none of the regions that served functions when this provider was made: fr-par, nl-ams, pl-waw.")
	}
	if err == nil && current.Region.String() != planned.ValueString() {
		resp.RequiresReplace = append(resp.RequiresReplace, at)
	}
}

// PlanAttached decides the region of an object that belongs to a function, which
// must be the function's.
func (b *BaseResource) PlanAttached(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	b.PlanRegion(ctx, req, resp)
	var region, functionID types.String
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root("region"), &region)...)
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root("function_id"), &functionID)...)
	if !resp.Diagnostics.HasError() && IsSet(region) {
		CheckReference(&resp.Diagnostics, "function_id", functionID, scw.Region(region.ValueString()))
	}
}

// CheckReference reports a reference to an object of another region than the
// one that refers to it. It returns the reference's uuid, or "" if the reference
// is unset or not known yet.
func CheckReference(diags *diag.Diagnostics, attribute string, value types.String, region scw.Region) string {
	if value.IsUnknown() || value.ValueString() == "" {
		return ""
	}
	id, err := regional.ParseReference(value.ValueString(), region)
	if err != nil {
		diags.AddAttributeError(path.Root(attribute), "Invalid id", Sentence(err))
		return ""
	}
	if id.Region != region {
		diags.AddAttributeError(path.Root(attribute), "Reference to another region",
			attribute+" "+Quote(value.ValueString())+" names an object in "+Quote(id.Region.String())+", and the region here is "+Quote(region.String())+
				". Both must be the same: set region = "+Quote(id.Region.String())+", or refer to an object in "+Quote(region.String())+".")
	}
	return id.UUID
}
