package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// base is what all resources have in common: a type name, the configured
// provider, and ids of the form region/uuid.
type base struct {
	typeName string
	backend  *backend
}

// Metadata implements resource.Resource.
func (b *base) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = b.typeName
}

// Configure implements resource.ResourceWithConfigure. Terraform validates
// configurations without configuring the provider; there is no data then.
func (b *base) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*backend); ok {
		b.backend = configured
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig, for resources
// whose attributes are validated one by one.
func (*base) ValidateConfig(context.Context, resource.ValidateConfigRequest, *resource.ValidateConfigResponse) {
}

// stateID reads the id of an object in the state, which is this provider's or
// the official one's own.
func (*base) stateID(v types.String, diags *diag.Diagnostics) (regional.ID, bool) {
	if diags.HasError() {
		return regional.ID{}, false
	}
	id, err := regional.Parse(v.ValueString())
	if err != nil {
		diags.AddError("The state holds a malformed id", sentence(err))
		return regional.ID{}, false
	}
	return id, true
}

// deleteObject deletes the object in the state within its timeout, and waits until
// it is gone.
func (b *base) deleteObject(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse, noun string, standard time.Duration, remove func(context.Context, regional.ID) error) {
	var id types.String
	var timeouts types.Object
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("timeouts"), &timeouts)...)
	of, ok := b.stateID(id, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := withTimeout(ctx, timeouts, onDelete, standard)
	defer cancel()
	if err := remove(ctx, of); err != nil {
		b.backend.addError(&resp.Diagnostics, "Cannot delete the "+noun, err)
	}
}

// ImportState implements resource.ResourceWithImportState.
func (b *base) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	b.importID(ctx, req, resp)
}

// said quotes what the service says of an object, if it says anything.
func said(message *string) string {
	if message == nil || *message == "" {
		return ""
	}
	return ": " + *message
}
