package tfkit

import (
	"cmp"
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// identityModel is the identity of an object: what tells it from all others of
// its type, apart from its state. Terraform 1.12 and later store it, and import
// by it; earlier ones leave it aside.
type identityModel struct {
	Region types.String `tfsdk:"region"`
	ID     types.String `tfsdk:"id"`
}

// Resource is a resource of this provider.
type Resource interface {
	resource.ResourceWithConfigure
	resource.ResourceWithImportState
	resource.ResourceWithModifyPlan
	resource.ResourceWithMoveState
	resource.ResourceWithValidateConfig
}

// identifiedResource is a resource with identities.
type identifiedResource struct{ Resource }

// WithIdentity returns a resource that also has identities.
func WithIdentity(r Resource) resource.Resource {
	return identifiedResource{r}
}

var _ resource.ResourceWithIdentity = identifiedResource{}

// IdentitySchema implements resource.ResourceWithIdentity.
func (identifiedResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"region": identityschema.StringAttribute{
			OptionalForImport: true,
			Description:       "The region that the object lives in; the provider's by default.",
		},
		"id": identityschema.StringAttribute{
			RequiredForImport: true,
			Description:       "The uuid of the object, without its region.",
		},
	}}
}

// SetIdentity reports the identity of an object, where identities are written. Create,
// Read, Update and ImportState all have to, as soon as the id is known.
func SetIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id regional.ID, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	diags.Append(identity.Set(ctx, identityModel{
		Region: types.StringValue(id.Region.String()),
		ID:     types.StringValue(id.UUID),
	})...)
}

// ImportID puts the id or the identity that the user names into the state, for
// Read to do the rest. It reports whether it names an object.
func (b *BaseResource) ImportID(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) (regional.ID, bool) {
	id, err := b.importedID(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return regional.ID{}, false
	}
	if err != nil {
		resp.Diagnostics.AddError("Cannot import by this id", Sentence(err))
		return regional.ID{}, false
	}
	SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id.String())...)
	return id, !resp.Diagnostics.HasError()
}

func (b *BaseResource) importedID(ctx context.Context, req resource.ImportStateRequest, diags *diag.Diagnostics) (regional.ID, error) {
	var usual scw.Region
	if b.Backend != nil {
		usual = b.Backend.Region()
	}
	if req.ID != "" || req.Identity == nil || req.Identity.Raw.IsNull() {
		return regional.ParseReference(strings.TrimSpace(req.ID), usual)
	}
	var named identityModel
	diags.Append(req.Identity.Get(ctx, &named)...)
	return regional.Parse(cmp.Or(named.Region.ValueString(), usual.String()) + "/" + named.ID.ValueString())
}
