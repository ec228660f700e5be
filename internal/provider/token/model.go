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

// model is the token resource in a configuration, plan or state.
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

// fill sets the attributes from the API's answer. It keeps the model's spelling of
// equal values, and the token itself, which the API returns only once.
func (m *model) fill(id regional.ID, t *sdk.Token) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, t.FunctionID), spelling.Reference)
	m.NamespaceID = spelling.Keep(m.NamespaceID, tfkit.RegionalReference(id, t.NamespaceID), spelling.Reference)
	m.Description = spelling.Keep(m.Description, types.StringPointerValue(t.Description), spelling.Text)
	m.ExpiresAt = spelling.Keep(m.ExpiresAt, tfkit.Instant(t.ExpiresAt), spelling.Rounded)
	m.Region = types.StringValue(id.Region.String())
}

// setEmpty replaces null by "", as the official provider does.
func (m *model) setEmpty() {
	m.FunctionID = spelling.OrEmpty(m.FunctionID)
	m.NamespaceID = spelling.OrEmpty(m.NamespaceID)
	m.Description = spelling.OrEmpty(m.Description)
	m.ExpiresAt = spelling.OrEmpty(m.ExpiresAt)
}

// scope returns the scope of the token, as far as the model contains it.
func (m *model) scope(region scw.Region) client.Scope {
	return client.Scope{Region: region, FunctionID: regional.Bare(m.FunctionID.ValueString()), NamespaceID: regional.Bare(m.NamespaceID.ValueString())}
}

// expiry returns the time when the token expires, and false if it never expires or the
// time is unknown.
func (m *model) expiry() (time.Time, bool) {
	if !tfkit.IsSet(m.ExpiresAt) {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, m.ExpiresAt.ValueString())
	return at, err == nil
}

// createRequest returns the request that creates the planned token. The ttl of a
// rotated token starts now.
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
	if configured, rotated := m.rotation(); rotated {
		request.ExpiresAt = new(now.Add(configured.ttl))
	}
	return request
}
