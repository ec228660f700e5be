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

// identityModel is the resource identity of an object. Terraform 1.12 and later
// store it next to the state and can import by it; older versions ignore it.
type identityModel struct {
	Region types.String `tfsdk:"region"`
	ID     types.String `tfsdk:"id"`
}

// identifiedResource is a resource with identities.
type identifiedResource struct{ Resource }

var _ resource.ResourceWithIdentity = identifiedResource{}

// WithIdentity returns r with resource identities.
func WithIdentity(r Resource) resource.Resource {
	return identifiedResource{r}
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (identifiedResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"region": identityschema.StringAttribute{
			OptionalForImport: true,
			Description:       "The region of the object. Defaults to the provider's region.",
		},
		"id": identityschema.StringAttribute{
			RequiredForImport: true,
			Description:       "The UUID of the object, without its region.",
		},
	}}
}

// SetIdentity sets the identity of an object. It does nothing if identity is nil:
// identities are off. Create, Read, Update and ImportState call it as soon as they
// have the ID, so that the identity is also set if they fail later.
func SetIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, id regional.ID, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	diags.Append(identity.Set(ctx, identityModel{
		Region: types.StringValue(id.Region.String()),
		ID:     types.StringValue(id.UUID),
	})...)
}

// ImportID writes the imported ID or identity into the state; Read sets the other
// attributes. It returns false after it has added an error.
func (b *BaseResource) ImportID(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) (regional.ID, bool) {
	id, err := b.importedID(ctx, req, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return regional.ID{}, false
	}
	if err != nil {
		resp.Diagnostics.AddError("Invalid import ID", Sentence(err))
		return regional.ID{}, false
	}
	SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), id.String())...)
	return id, !resp.Diagnostics.HasError()
}

// importedID parses the ID or the identity of an import. The region defaults to the
// provider's.
func (b *BaseResource) importedID(ctx context.Context, req resource.ImportStateRequest, diags *diag.Diagnostics) (regional.ID, error) {
	var region scw.Region
	if b.Backend != nil {
		region = b.Backend.Region()
	}
	if req.ID != "" || req.Identity == nil || req.Identity.Raw.IsNull() {
		return regional.ParseReference(strings.TrimSpace(req.ID), region)
	}
	var imported identityModel
	diags.Append(req.Identity.Get(ctx, &imported)...)
	return regional.Parse(cmp.Or(imported.Region.ValueString(), region.String()) + "/" + imported.ID.ValueString())
}
