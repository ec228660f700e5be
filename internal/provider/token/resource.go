package token

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// tokenResource is the resource scaleway_function_token.
type tokenResource struct{ tfkit.BaseResource }

var _ tfkit.Resource = (*tokenResource)(nil)

// NewResource returns the resource scaleway_function_token.
func NewResource() tfkit.Resource {
	return &tokenResource{tfkit.BaseResource{TypeName: "scaleway_function_token"}}
}

// timeout is the timeout of each operation, as in the official provider. The resource
// has no timeouts block: the API answers within a second.
const timeout = 5 * time.Minute

// ModifyPlan implements resource.ResourceWithModifyPlan. It warns if a new
// token is already expired; Read warns of a token that has expired since.
func (r *tokenResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	r.PlanRegion(ctx, req, resp)
	var m model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || r.Backend == nil {
		return
	}
	if region := scw.Region(m.Region.ValueString()); region != "" {
		tfkit.CheckReference(&resp.Diagnostics, "function_id", m.FunctionID, region)
		tfkit.CheckReference(&resp.Diagnostics, "namespace_id", m.NamespaceID, region)
	}
	r.planRotation(ctx, req, resp, &m)
	at, expires := m.expiry()
	if req.State.Raw.IsNull() && expires && !at.After(r.Backend.Now()) {
		resp.Diagnostics.AddAttributeWarning(path.Root("expires_at"), "The function token is already expired",
			m.ExpiresAt.ValueString()+" is in the past: functions will not accept this token. "+
				"Set expires_at to a time in the future, or remove it for a token that never expires.")
	}
}

// Create implements resource.Resource.
func (r *tokenResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	region := scw.Region(m.Region.ValueString())
	request := m.createRequest(region, r.Backend.Now(), &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	//nolint:staticcheck // Scaleway deprecated these tokens in November 2025; this resource manages them.
	created, err := r.Backend.API().CreateToken(request, client.Context(ctx))
	if err != nil {
		r.Backend.AddCreateError(&resp.Diagnostics, "Cannot create the function token", err, scopeAttribute(request.FunctionID), "")
		return
	}
	id := regional.ID{Region: region, UUID: created.ID}
	tfkit.SetIdentity(ctx, resp.Identity, id, &resp.Diagnostics)
	m.fill(id, created)
	m.Token = types.StringValue(created.Token)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
	if err := awaitReady(ctx, r.Backend, id, created); err != nil {
		r.Backend.AddError(&resp.Diagnostics, "The function token did not become ready", err)
	}
}

// Read implements resource.Resource.
func (r *tokenResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t, err := r.Backend.RefreshedToken(ctx, id, m.scope(id.Region))
	if !r.Found(ctx, resp, "function token", err) {
		return
	}
	m.fill(id, t)
	m.setEmpty()
	m.ReadyForRenewal = m.readyForRenewal(r.Backend.Now())
	r.warn(id, &m, t, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// warn warns of a token that functions do not accept. It does not warn of an expired
// token with a rotation: the plan replaces that and says so.
func (r *tokenResource) warn(id regional.ID, m *model, t *sdk.Token, diags *diag.Diagnostics) {
	if t.Status != sdk.TokenStatusReady {
		diags.AddWarning("The function token is not ready",
			fmt.Sprintf("Token %s is in status %q: functions may not accept it. Replace it with terraform apply -replace.", id, t.Status))
	}
	if at, expires := m.expiry(); expires && m.Rotation.IsNull() && !at.After(r.Backend.Now()) {
		diags.AddAttributeWarning(path.Root("expires_at"), "The function token is expired",
			fmt.Sprintf("Token %s expired at %s: functions do not accept it. "+
				"Set a later expires_at to replace it, or remove the resource.", id, m.ExpiresAt.ValueString()))
	}
}

// Update implements resource.Resource. It sends nothing: all changes replace the token,
// except for other spellings of the same value.
func (r *tokenResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if _, ok := r.Identify(ctx, m.ID, resp.Identity, &resp.Diagnostics); !ok {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// Delete implements resource.Resource.
func (r *tokenResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var m model
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	id, ok := r.StateID(m.ID, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.Backend.DeleteToken(ctx, id); err != nil {
		r.Backend.AddError(&resp.Diagnostics, "Cannot revoke the function token", err)
	}
}

// ImportState implements resource.ResourceWithImportState.
func (r *tokenResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, ok := r.ImportID(ctx, req, resp)
	if !ok {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("region"), id.Region.String())...)
	resp.Diagnostics.AddAttributeWarning(path.Root("token"), "The token value cannot be imported",
		"The API returns the value of a token only when it is created, so the attribute token of "+id.String()+" is null. "+
			"The token stays valid, and destroying the resource revokes it. To have a value in the state, replace the token with terraform apply -replace.")
}

// MoveState implements resource.ResourceWithMoveState.
func (r *tokenResource) MoveState(context.Context) []resource.StateMover {
	return tfkit.MoveFromOfficial(r.TypeName, resourceSchema())
}

// awaitReady waits until functions accept a token. It returns an error if the token
// ends in another status.
func awaitReady(ctx context.Context, b *tfkit.Backend, id regional.ID, known *sdk.Token) error {
	t, err := b.SettledToken(ctx, id, known)
	if err != nil {
		return err
	}
	if t.Status != sdk.TokenStatusReady {
		return fmt.Errorf("token %s is in status %q: apply again to create another token", id, t.Status)
	}
	return nil
}
