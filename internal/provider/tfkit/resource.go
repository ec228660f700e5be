package tfkit

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Resource is a resource of this provider.
type Resource interface {
	resource.ResourceWithConfigure
	resource.ResourceWithImportState
	resource.ResourceWithModifyPlan
	resource.ResourceWithMoveState
	resource.ResourceWithValidateConfig
}

// BaseResource implements the parts of Resource that are the same for all resources.
type BaseResource struct {
	TypeName string
	// Backend is nil while Terraform validates a configuration.
	Backend *Backend
}

// Metadata implements resource.Resource.
func (b *BaseResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = b.TypeName
}

// Configure implements resource.ResourceWithConfigure. The request has no data when
// Terraform validates a configuration.
func (b *BaseResource) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if configured, ok := req.ProviderData.(*Backend); ok {
		b.Backend = configured
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig. It checks nothing:
// the validators of the attributes are enough for most resources.
func (*BaseResource) ValidateConfig(context.Context, resource.ValidateConfigRequest, *resource.ValidateConfigResponse) {
}

// ImportState implements resource.ResourceWithImportState.
func (b *BaseResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	b.ImportID(ctx, req, resp)
}

// StateID parses the ID of an object in a state. It returns false if diags has errors,
// or after it has added one.
func (*BaseResource) StateID(v types.String, diags *diag.Diagnostics) (regional.ID, bool) {
	if diags.HasError() {
		return regional.ID{}, false
	}
	id, err := regional.Parse(v.ValueString())
	if err != nil {
		diags.AddError("Invalid ID in the state", Sentence(err))
		return regional.ID{}, false
	}
	return id, true
}

// Identify returns the ID of an object in a state or plan, and sets the resource
// identity. It returns false if diags has errors, or after it has added one.
func (b *BaseResource) Identify(ctx context.Context, v types.String, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) (regional.ID, bool) {
	id, ok := b.StateID(v, diags)
	if ok {
		SetIdentity(ctx, identity, id, diags)
	}
	return id, ok
}

// Found reports whether the object of a Read exists. err is the error of reading it. An
// object that does not exist is removed from the state; every other error is added to
// the diagnostics.
func (b *BaseResource) Found(ctx context.Context, resp *resource.ReadResponse, noun string, err error) bool {
	switch {
	case err == nil:
		return true
	case client.IsNotFound(err):
		resp.State.RemoveResource(ctx)
	default:
		b.Backend.AddError(&resp.Diagnostics, "Cannot read the "+noun, err)
	}
	return false
}

// DeleteObject deletes the object in the state and waits until the service no longer
// has it. The timeout is the default for the timeouts block.
func (b *BaseResource) DeleteObject(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse, noun string, timeout time.Duration, remove func(context.Context, regional.ID) error) {
	var stateID types.String
	var timeouts types.Object
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &stateID)...)
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("timeouts"), &timeouts)...)
	id, ok := b.StateID(stateID, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := WithTimeout(ctx, timeouts, OnDelete, timeout)
	defer cancel()
	if err := remove(ctx, id); err != nil {
		b.Backend.AddError(&resp.Diagnostics, "Cannot delete the "+noun, err)
	}
}
