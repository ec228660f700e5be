package tfkit

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// BaseResource is what all resources have in common: a type name, the configured
// provider, and ids of the form region/uuid.
type BaseResource struct {
	TypeName string
	Backend  *Backend
}

// Metadata implements resource.Resource.
func (b *BaseResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = b.TypeName
}

// Configure implements resource.ResourceWithConfigure. Terraform validates
// configurations without configuring the provider; there is no data then.
func (b *BaseResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*Backend); ok {
		b.Backend = configured
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig, for resources
// whose attributes are validated one by one.
func (*BaseResource) ValidateConfig(context.Context, resource.ValidateConfigRequest, *resource.ValidateConfigResponse) {
}

// StateID reads the id of an object in the state, which is this provider's or
// the official one's own.
func (*BaseResource) StateID(v types.String, diags *diag.Diagnostics) (regional.ID, bool) {
	if diags.HasError() {
		return regional.ID{}, false
	}
	id, err := regional.Parse(v.ValueString())
	if err != nil {
		diags.AddError("The state holds a malformed id", Sentence(err))
		return regional.ID{}, false
	}
	return id, true
}

// DeleteObject deletes the object in the state within its timeout, and waits until
// it is gone.
func (b *BaseResource) DeleteObject(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse, noun string, standard time.Duration, remove func(context.Context, regional.ID) error) {
	var id types.String
	var timeouts types.Object
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("timeouts"), &timeouts)...)
	of, ok := b.StateID(id, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := WithTimeout(ctx, timeouts, OnDelete, standard)
	defer cancel()
	if err := remove(ctx, of); err != nil {
		b.Backend.AddError(&resp.Diagnostics, "Cannot delete the "+noun, err)
	}
}

// ImportState implements resource.ResourceWithImportState.
func (b *BaseResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	b.ImportID(ctx, req, resp)
}

// Reason quotes what the service says of an object, if it says anything.
func Reason(message *string) string {
	if message == nil || *message == "" {
		return ""
	}
	return ": " + *message
}
