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

// rotation says how long a token lives, and how long before its end it is
// replaced.
type rotation struct {
	ttl, early time.Duration
}

// The arguments of the rotation block.
const (
	rotationTTL   = "ttl"
	rotationEarly = "early_renewal"
)

// earlyShare is the share of its life that a token has left when it is replaced,
// if nothing else is configured: a third, as cert-manager does with certificates.
const earlyShare = 3

func rotationBlock() schema.Block {
	return schema.SingleNestedBlock{
		MarkdownDescription: "Has the token replaced before it expires, whenever Terraform runs late enough in its life. Conflicts with `expires_at`. " +
			"With `lifecycle { create_before_destroy = true }` callers never see a gap: the old token is revoked after everything that uses it has the new one.",
		Attributes: map[string]schema.Attribute{
			// The framework would demand a required argument where there is no block.
			rotationTTL: schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Required in the block. How long each token lives, from its creation, for example `90m` or `720h`. Another length replaces the token.",
				Validators:          []validator.String{durationBetween(minTTL, 0, "")},
			},
			rotationEarly: schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "How long before it expires the token is replaced, less than `ttl`. Terraform has to run within this time. " +
					"A third of `ttl` by default.",
				Validators: []validator.String{durationBetween(0, 0, "")},
			},
		},
	}
}

func (m *model) rotationText(name string) types.String {
	text, ok := m.Rotation.Attributes()[name].(types.String)
	if !ok {
		return types.StringNull()
	}
	return text
}

// rotation returns the rotation that is configured, and false if there is none or
// it is not known yet.
func (m *model) rotation() (rotation, bool) {
	ttl, ok := durationOf(m.rotationText(rotationTTL))
	early := m.rotationText(rotationEarly)
	if !ok || early.IsUnknown() {
		return rotation{}, false
	}
	if before, configured := durationOf(early); configured {
		return rotation{ttl: ttl, early: before}, true
	}
	return rotation{ttl: ttl, early: ttl / earlyShare}, true
}

// due reports whether the token has reached the time of its renewal, or is none
// that rotation can count on.
func (m *model) due(now time.Time) bool {
	planned, rotated := m.rotation()
	expiry, expires := m.expiry()
	return rotated && expires && !now.Before(expiry.Add(-planned.early))
}

// readyForRenewal is null for a token that is not rotated.
func (m *model) readyForRenewal(now time.Time) types.Bool {
	if m.Rotation.IsNull() {
		return types.BoolNull()
	}
	return types.BoolValue(m.due(now))
}

// checkRotation reports a rotation that makes no sense, as far as it is known.
func (m *model) checkRotation(diags *diag.Diagnostics) {
	if m.Rotation.IsNull() {
		return
	}
	if m.rotationText(rotationTTL).IsNull() && !m.Rotation.IsUnknown() {
		diags.AddAttributeError(path.Root("rotation").AtName(rotationTTL), "A rotation without a length",
			"The block rotation does not say how long each token lives: set ttl, for example to 720h for 30 days.")
	}
	if tfkit.IsSet(m.ExpiresAt) {
		diags.AddAttributeError(path.Root("expires_at"), "Two ends of one token",
			"The rotation decides when the token expires: remove expires_at, or remove the block rotation.")
	}
	if planned, known := m.rotation(); known && planned.early >= planned.ttl {
		diags.AddAttributeError(path.Root("rotation").AtName(rotationEarly), "Renewal before the beginning",
			fmt.Sprintf("early_renewal is %s and ttl is %s, so that each token would be replaced as soon as it is made: "+
				"write an early_renewal that is shorter than ttl.", formatDuration(planned.early), formatDuration(planned.ttl)))
	}
}

// planRotation decides whether a rotated token is replaced, and says why. It
// plans what the block computes.
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
	at, replaced := r.renewal(&prior, m, &resp.Diagnostics)
	if !replaced || resp.Diagnostics.HasError() {
		return
	}
	resp.RequiresReplace = append(resp.RequiresReplace, at)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("expires_at"), types.StringUnknown())...)
}

// renewal reports whether the prior token is replaced by the planned rotation,
// and because of which argument. A token that was not rotated until now, as after
// an import, is kept if it expires as soon as one made now would.
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
	tense := "expires"
	if !expiry.After(now) {
		tense = "expired"
	}
	diags.AddAttributeWarning(expiresAt, fmt.Sprintf("Replace, because the token %s on %s", tense, prior.ExpiresAt.ValueString()),
		fmt.Sprintf("Token %s is within %s of its end, so the plan replaces it by one that lives for %s. "+
			"With create_before_destroy in its lifecycle block, the old token works until everything that uses it has the new one.",
			prior.ID.ValueString(), formatDuration(planned.early), formatDuration(planned.ttl)))
	return expiresAt, true
}

// expiryModifier plans expires_at as configured; another instant makes another
// token. The expiry of a rotated token stays until planRotation renews it.
type expiryModifier struct{}

func (expiryModifier) Description(context.Context) string {
	return "Another instant makes another object. A rotation decides by itself."
}

func (m expiryModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (expiryModifier) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	var block types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("rotation"), &block)...)
	made := req.State.Raw.IsNull()
	switch {
	case block.IsNull():
		spelling.String(spelling.Instant).PlanModifyString(ctx, req, resp)
		resp.RequiresReplace = !made && !spelling.Equal(req.StateValue, resp.PlanValue, spelling.Instant)
	case !made:
		resp.PlanValue = req.StateValue
	}
}
