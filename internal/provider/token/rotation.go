package token

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// rotation is the lifetime of each token, and how long before its expiry it is
// replaced.
type rotation struct {
	ttl, early time.Duration
}

// The arguments of the rotation block.
const (
	rotationTTL   = "ttl"
	rotationEarly = "early_renewal"
)

// earlyFraction divides ttl into the default of early_renewal: a third of ttl, like
// cert-manager's default for certificates.
const earlyFraction = 3

func rotationBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "Replaces the token before it expires: an apply in the last `early_renewal` of its lifetime creates a new token. Conflicts with `expires_at`. " +
			"Set `create_before_destroy = true` in the `lifecycle` block to rotate without downtime: Terraform then revokes the old token after it has updated the resources that use it.",
		Attributes: map[string]schema.Attribute{
			// If ttl were required, the framework would require it without a block too.
			rotationTTL: schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Required. The lifetime of each token, for example `90m` or `720h`. Changing this replaces the token.",
				Validators:          []validator.String{durationBetween(minTTL, 0, "")},
			},
			rotationEarly: schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How long before its expiry the token is replaced, less than `ttl`. Run Terraform at least once in this period. " +
					"Defaults to a third of `ttl`.",
				Validators: []validator.String{durationBetween(0, 0, "")},
			},
		},
	}
}

// rotationText returns an argument of the rotation block, null without the block.
func (m *model) rotationText(name string) types.String {
	text, ok := m.Rotation.Attributes()[name].(types.String)
	if !ok {
		return types.StringNull()
	}
	return text
}

// rotation returns the configured rotation, and false if there is none or it is
// unknown.
func (m *model) rotation() (rotation, bool) {
	ttl, ok := durationOf(m.rotationText(rotationTTL))
	early := m.rotationText(rotationEarly)
	if !ok || early.IsUnknown() {
		return rotation{}, false
	}
	if before, configured := durationOf(early); configured {
		return rotation{ttl: ttl, early: before}, true
	}
	return rotation{ttl: ttl, early: ttl / earlyFraction}, true
}

// due reports whether the token must be replaced now, because it expires within
// early_renewal.
func (m *model) due(now time.Time) bool {
	configured, rotated := m.rotation()
	expiry, expires := m.expiry()
	return rotated && expires && !now.Before(expiry.Add(-configured.early))
}

// readyForRenewal returns the attribute ready_for_renewal, null without a rotation.
func (m *model) readyForRenewal(now time.Time) types.Bool {
	if m.Rotation.IsNull() {
		return types.BoolNull()
	}
	return types.BoolValue(m.due(now))
}

// checkRotation adds errors for an invalid rotation. Unknown values are not checked.
func (m *model) checkRotation(diags *diag.Diagnostics) {
	if m.Rotation.IsNull() {
		return
	}
	if m.rotationText(rotationTTL).IsNull() && !m.Rotation.IsUnknown() {
		diags.AddAttributeError(path.Root("rotation").AtName(rotationTTL), "Missing ttl",
			"The rotation block requires the lifetime of each token: set ttl, for example to 720h for 30 days.")
	}
	if tfkit.IsSet(m.ExpiresAt) {
		diags.AddAttributeError(path.Root("expires_at"), "Both expires_at and rotation are set",
			"The rotation block determines when the token expires: remove expires_at or the rotation block.")
	}
	if configured, known := m.rotation(); known && configured.early >= configured.ttl {
		diags.AddAttributeError(path.Root("rotation").AtName(rotationEarly), "early_renewal is not less than ttl",
			fmt.Sprintf("early_renewal is %s and ttl is %s, so each apply would replace the token: "+
				"set early_renewal to less than ttl.", formatDuration(configured.early), formatDuration(configured.ttl)))
	}
}

// planRotation plans ready_for_renewal and expires_at, and replaces a rotated token
// that must be renewed, with a warning that says why.
func (r *tokenResource) planRotation(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, m *model) {
	ready := path.Root("ready_for_renewal")
	if m.Rotation.IsNull() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, ready, types.BoolNull())...)
		return
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, ready, types.BoolValue(false))...)
	if req.State.Raw.IsNull() {
		return
	}
	var prior model
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	attribute, replaced := r.renewal(&prior, m, &resp.Diagnostics)
	if !replaced || resp.Diagnostics.HasError() {
		return
	}
	resp.RequiresReplace = append(resp.RequiresReplace, attribute)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("expires_at"), types.StringUnknown())...)
}

// renewal reports whether the planned rotation replaces the prior token, and because
// of which attribute. A token without a rotation until now, for example an imported
// one, is kept if it expires no later than a new token would.
func (r *tokenResource) renewal(prior, m *model, diags *diag.Diagnostics) (path.Path, bool) {
	expiresAt := path.Root("expires_at")
	now := r.Backend.Now()
	planned, known := m.rotation()
	expiry, expires := prior.expiry()
	switch {
	case prior.Rotation.IsNull() && (!known || !expires || expiry.After(now.Add(planned.ttl))):
		return expiresAt, true
	case !prior.Rotation.IsNull() && !spelling.Equal(prior.rotationText(rotationTTL), m.rotationText(rotationTTL), sameDuration):
		return path.Root("rotation").AtName(rotationTTL), true
	}
	m.ExpiresAt = prior.ExpiresAt
	if !m.due(now) {
		return path.Path{}, false
	}
	verb := "expires"
	if !expiry.After(now) {
		verb = "expired"
	}
	diags.AddAttributeWarning(expiresAt, fmt.Sprintf("The function token is replaced because it %s at %s", verb, prior.ExpiresAt.ValueString()),
		fmt.Sprintf("Token %s has reached the last %s of its lifetime: the plan replaces it by a token that is valid for %s. "+
			"With create_before_destroy in the lifecycle block, the old token stays valid until the resources that use it are updated.",
			prior.ID.ValueString(), formatDuration(planned.early), formatDuration(planned.ttl)))
	return expiresAt, true
}

// expiryModifier plans the configured expires_at, and replaces the token if the time
// differs from the prior one. With a rotation it keeps the prior value: planRotation
// decides about the renewal.
type expiryModifier struct{}

// Description implements planmodifier.Describer.
func (expiryModifier) Description(context.Context) string {
	return "Changing this to another time replaces the token, unless a rotation block is set."
}

// MarkdownDescription implements planmodifier.Describer.
func (m expiryModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (expiryModifier) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	var block types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("rotation"), &block)...)
	creates := req.State.Raw.IsNull()
	switch {
	case block.IsNull():
		spelling.String(spelling.Instant).PlanModifyString(ctx, req, resp)
		resp.RequiresReplace = !creates && !spelling.Equal(req.StateValue, resp.PlanValue, spelling.Instant)
	case !creates:
		resp.PlanValue = req.StateValue
	}
}
