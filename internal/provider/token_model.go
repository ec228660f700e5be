package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// tokenModel is a token in configuration, plan and state.
type tokenModel struct {
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
func (m *tokenModel) fill(id regional.ID, t *function.Token) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, regionalReference(id, t.FunctionID), spelling.Reference)
	m.NamespaceID = spelling.Keep(m.NamespaceID, regionalReference(id, t.NamespaceID), spelling.Reference)
	m.Description = spelling.Keep(m.Description, types.StringPointerValue(t.Description), spelling.Text)
	m.ExpiresAt = spelling.Keep(m.ExpiresAt, instant(t.ExpiresAt), spelling.Rounded)
	m.Region = types.StringValue(id.Region.String())
}

// setEmpty writes "" for what is not set, as the official provider does.
func (m *tokenModel) setEmpty() {
	m.FunctionID = spelling.OrEmpty(m.FunctionID)
	m.NamespaceID = spelling.OrEmpty(m.NamespaceID)
	m.Description = spelling.OrEmpty(m.Description)
	m.ExpiresAt = spelling.OrEmpty(m.ExpiresAt)
}

// opens is what the token opens, as far as the model knows.
func (m *tokenModel) opens(region scw.Region) client.Scope {
	return client.Scope{Region: region, FunctionID: regional.Bare(m.FunctionID.ValueString()), NamespaceID: regional.Bare(m.NamespaceID.ValueString())}
}

// regionalReference writes a bare uuid as the id of an object in the same region
// as id, or null if there is none.
func regionalReference(id regional.ID, uuid *string) types.String {
	if uuid == nil || *uuid == "" {
		return types.StringNull()
	}
	return types.StringValue(regional.ID{Region: id.Region, UUID: *uuid}.String())
}

func instant(t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}

// expiry returns when the token expires, and false if that is never, or not
// known yet.
func (m *tokenModel) expiry() (time.Time, bool) {
	if !isText(m.ExpiresAt) {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339, m.ExpiresAt.ValueString())
	return at, err == nil
}

// createRequest returns the request that makes the planned token. The life of a
// rotated one begins now.
func (m *tokenModel) createRequest(region scw.Region, now time.Time, diags *diag.Diagnostics) *function.CreateTokenRequest {
	request := &function.CreateTokenRequest{Region: region, Description: optionalText(m.Description)}
	if id := checkReference(diags, "function_id", m.FunctionID, region); id != "" {
		request.FunctionID = &id
	}
	if id := checkReference(diags, "namespace_id", m.NamespaceID, region); id != "" {
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
