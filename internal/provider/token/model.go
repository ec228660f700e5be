package token

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// model is a token in configuration, plan and state.
type model struct {
	ID              types.String `tfsdk:"id"`
	FunctionID      types.String `tfsdk:"function_id"`
	NamespaceID     types.String `tfsdk:"namespace_id"`
	Description     types.String `tfsdk:"description"`
	ExpiresAt       types.String `tfsdk:"expires_at"`
	Token           types.String `tfsdk:"token"`
	Region          types.String `tfsdk:"region"`
	Rotation        types.Object `tfsdk:"rotation"`
	ReadyForRenewal types.Bool   `tfsdk:"ready_for_renewal"`
}

// fill takes over what the service says, in the model's own spelling where that
// says the same. It leaves the token itself alone, which the service shows once.
func (m *model) fill(id regional.ID, t *sdk.Token) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, t.FunctionID), spelling.Reference)
	m.NamespaceID = spelling.Keep(m.NamespaceID, tfkit.RegionalReference(id, t.NamespaceID), spelling.Reference)
	m.Description = spelling.Keep(m.Description, types.StringPointerValue(t.Description), spelling.Text)
	m.ExpiresAt = spelling.Keep(m.ExpiresAt, tfkit.Instant(t.ExpiresAt), spelling.Rounded)
	m.Region = types.StringValue(id.Region.String())
}

// setEmpty writes "" for what is not set, as the official provider does.
func (m *model) setEmpty() {
	m.FunctionID = spelling.OrEmpty(m.FunctionID)
	m.NamespaceID = spelling.OrEmpty(m.NamespaceID)
	m.Description = spelling.OrEmpty(m.Description)
	m.ExpiresAt = spelling.OrEmpty(m.ExpiresAt)
}

// opens is what the token opens, as far as the model knows.
func (m *model) opens(region scw.Region) client.Scope {
	return client.Scope{Region: region, FunctionID: regional.Bare(m.FunctionID.ValueString()), NamespaceID: regional.Bare(m.NamespaceID.ValueString())}
}

// expiry returns when the token expires, and false if that is never, or not
// known yet.
func (m *model) expiry() (time.Time, bool) {
	if !tfkit.IsSet(m.ExpiresAt) {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, m.ExpiresAt.ValueString())
	return at, err == nil
}

// createRequest returns the request that makes the planned token. The life of a
// rotated one begins now.
func (m *model) createRequest(region scw.Region, now time.Time, diags *diag.Diagnostics) *sdk.CreateTokenRequest {
	request := &sdk.CreateTokenRequest{Region: region, Description: tfkit.OptionalString(m.Description)}
	if id := tfkit.CheckReference(diags, "function_id", m.FunctionID, region); id != "" {
		request.FunctionID = &id
	}
	if id := tfkit.CheckReference(diags, "namespace_id", m.NamespaceID, region); id != "" {
		request.NamespaceID = &id
	}
	if at, expires := m.expiry(); expires {
		request.ExpiresAt = &at
	}
	if planned, rotated := m.rotation(); rotated {
		request.ExpiresAt = new(now.Add(planned.ttl))
	}
	return request
}
