package token

import (
	"context"
	"maps"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// tokenData is the data source scaleway_function_token.
type tokenData struct{ tfkit.BaseDataSource }

var _ datasource.DataSourceWithConfigure = (*tokenData)(nil)

// NewDataSource returns the data source scaleway_function_token.
func NewDataSource() datasource.DataSource {
	return &tokenData{tfkit.BaseDataSource{TypeName: "scaleway_function_token"}}
}

// tokenInfo is what the API returns about an existing token, which does not include the
// token itself.
type tokenInfo struct {
	ID          types.String `tfsdk:"id"`
	FunctionID  types.String `tfsdk:"function_id"`
	NamespaceID types.String `tfsdk:"namespace_id"`
	Description types.String `tfsdk:"description"`
	ExpiresAt   types.String `tfsdk:"expires_at"`
	Expired     types.Bool   `tfsdk:"expired"`
	Status      types.String `tfsdk:"status"`
}

// dataModel is the configuration and the result.
type dataModel struct {
	tokenInfo
	TokenID types.String `tfsdk:"token_id"`
	Region  types.String `tfsdk:"region"`
}

// tokenInfoAttributes returns the attributes of tokenInfo.
func tokenInfoAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":           tfkit.DataString("The ID of the token, in the form `region/uuid`."),
		"function_id":  tfkit.DataString("The ID of the function that the token grants access to, in the form `region/uuid`. Null for a token of a namespace."),
		"namespace_id": tfkit.DataString("The ID of the namespace whose functions the token grants access to, in the form `region/uuid`. Null for a token of a function."),
		"description":  tfkit.DataString("The description of the token."),
		"expires_at":   tfkit.DataString("The time when the token expires, in UTC. Null if it never expires."),
		"expired":      schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the token has expired."},
		"status":       tfkit.DataString("The status of the token. Functions accept only tokens in status `ready`."),
	}
}

// newTokenInfo returns the attributes of a token from the API's answer.
func newTokenInfo(b *tfkit.Backend, id regional.ID, t *sdk.Token) tokenInfo {
	return tokenInfo{
		ID:          types.StringValue(id.String()),
		FunctionID:  tfkit.RegionalReference(id, t.FunctionID),
		NamespaceID: tfkit.RegionalReference(id, t.NamespaceID),
		Description: types.StringPointerValue(t.Description),
		ExpiresAt:   tfkit.Instant(t.ExpiresAt),
		Expired:     types.BoolValue(expired(t, b.Now())),
		Status:      types.StringValue(t.Status.String()),
	}
}

// expired reports whether the token has expired.
func expired(t *sdk.Token, now time.Time) bool {
	return t.ExpiresAt != nil && !t.ExpiresAt.After(now)
}

// Schema implements datasource.DataSource.
func (*tokenData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"token_id": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The ID of the token, in the form `region/uuid`, or its UUID.",
			Validators:          []validator.String{tfkit.Reference()},
		},
		"region": tfkit.DataRegion("The region of the token. Defaults to the region in `token_id`, or else to the provider's region."),
	}
	maps.Copy(attributes, tokenInfoAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "Information about an existing token. The API returns the token itself only when it is created, so it is not included.",
		Attributes:          attributes,
	}
}

// Read implements datasource.DataSource.
func (d *tokenData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := regional.ID{Region: d.Backend.RegionOf(m.Region, m.TokenID)}
	id.UUID = tfkit.CheckReference(&resp.Diagnostics, "token_id", m.TokenID, id.Region)
	if resp.Diagnostics.HasError() {
		return
	}
	t, err := d.Backend.API().GetToken(&sdk.GetTokenRequest{Region: id.Region, TokenID: id.UUID}, client.Context(ctx))
	if client.IsNotFound(err) {
		resp.Diagnostics.AddAttributeError(path.Root("token_id"), "No such function token",
			"Token "+id.String()+" does not exist: it was revoked, or is in another region or project. "+
				"The data source scaleway_function_tokens lists the existing tokens.")
		return
	}
	if err != nil {
		d.Backend.AddError(&resp.Diagnostics, "Cannot read the function token", err)
		return
	}
	m.tokenInfo = newTokenInfo(d.Backend, id, t)
	m.Region = types.StringValue(id.Region.String())
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
