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

// RegionAttribute is the attribute region. PlanRegion plans it.
func RegionAttribute(noun string) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "The region of the " + noun + ". Defaults to the provider's region. Changing this replaces the " + noun + ".",
		Validators:          []validator.String{RegionName()},
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// PlanRegion plans the region: the provider's for a new object without a configured
// one. It warns of an unknown region, and replaces an object whose region changes. The
// region of an existing object is taken from its ID, because the official provider
// leaves the attribute null for tokens and triggers, even if it is configured.
func (b *BaseResource) PlanRegion(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	attribute := path.Root("region")
	var planned, id types.String
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, attribute, &planned)...)
	var configured types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, attribute, &configured)...)
	if req.State.Raw.IsNull() && configured.IsNull() && b.Backend != nil {
		planned = types.StringValue(b.Backend.Region().String())
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, attribute, planned)...)
	}
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	}
	current, err := regional.Parse(id.ValueString())
	if err == nil && planned.IsNull() {
		planned = types.StringValue(current.Region.String())
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, attribute, planned)...)
	}
	if planned.IsNull() || planned.IsUnknown() {
		return
	}
	if !regional.Known(planned.ValueString()) {
		resp.Diagnostics.AddAttributeWarning(attribute, "Unknown region",
			Quote(planned.ValueString())+" is not one of the regions known to this version of the provider: fr-par, nl-ams, pl-waw. "+
				"Correct it, unless it is a new region.")
	}
	if err == nil && current.Region.String() != planned.ValueString() {
		resp.RequiresReplace = append(resp.RequiresReplace, attribute)
	}
}

// PlanAttached plans the region of an object that belongs to a function, and checks
// that the function is in the same region.
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

// CheckReference returns the UUID of a reference, or "" if the reference is not set or
// unknown. It adds an error if the reference is malformed or names another region.
func CheckReference(diags *diag.Diagnostics, attribute string, value types.String, region scw.Region) string {
	if value.IsUnknown() || value.ValueString() == "" {
		return ""
	}
	id, err := regional.ParseReference(value.ValueString(), region)
	if err != nil {
		diags.AddAttributeError(path.Root(attribute), "Invalid ID", Sentence(err))
		return ""
	}
	if id.Region != region {
		diags.AddAttributeError(path.Root(attribute), "Reference to another region",
			attribute+" "+Quote(value.ValueString())+" is in region "+Quote(id.Region.String())+", but the region here is "+Quote(region.String())+
				". Both must be the same: set region = "+Quote(id.Region.String())+", or reference an object in "+Quote(region.String())+".")
	}
	return id.UUID
}
