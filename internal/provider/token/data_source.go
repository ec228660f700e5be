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

func NewDataSource() datasource.DataSource {
	return &tokenData{tfkit.BaseDataSource{TypeName: "scaleway_function_token"}}
}

// shownToken is what the service shows of a token that exists: all but the token
// itself.
type shownToken struct {
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
	shownToken
	TokenID types.String `tfsdk:"token_id"`
	Region  types.String `tfsdk:"region"`
}

func shownTokenAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":           tfkit.DataString("The id of the token, of the form `region/uuid`."),
		"function_id":  tfkit.DataString("The function that the token opens, of the form `region/uuid`; null for a token of a namespace."),
		"namespace_id": tfkit.DataString("The namespace whose functions the token opens, of the form `region/uuid`; null for a token of a function."),
		"description":  tfkit.DataString("The description of the token."),
		"expires_at":   tfkit.DataString("When the token stops to open anything, in UTC; null if that is never."),
		"expired":      schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether that time has passed."},
		"status":       tfkit.DataString("The status of the token; functions accept only one that is `ready`."),
	}
}

// showToken writes what the service says of a token.
func showToken(b *tfkit.Backend, id regional.ID, t *sdk.Token) shownToken {
	return shownToken{
		ID:          types.StringValue(id.String()),
		FunctionID:  tfkit.RegionalReference(id, t.FunctionID),
		NamespaceID: tfkit.RegionalReference(id, t.NamespaceID),
		Description: types.StringPointerValue(t.Description),
		ExpiresAt:   tfkit.Instant(t.ExpiresAt),
		Expired:     types.BoolValue(expired(t, b.Now())),
		Status:      types.StringValue(t.Status.String()),
	}
}

func expired(t *sdk.Token, now time.Time) bool {
	return t.ExpiresAt != nil && !t.ExpiresAt.After(now)
}

// Schema implements datasource.DataSource.
func (*tokenData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"token_id": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "The id of the token, of the form `region/uuid`, or its uuid alone.",
			Validators:          []validator.String{tfkit.Reference()},
		},
		"region": tfkit.DataRegion("The region; that of `token_id` if it names one, or else the provider's."),
	}
	maps.Copy(attributes, shownTokenAttributes())
	resp.Schema = schema.Schema{
		MarkdownDescription: "What is known of a token that exists. The token itself is shown once, when it is made, and cannot be read.",
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
			"There is no token "+id.String()+": it was revoked, or lives in another region or project. "+
				"The data source scaleway_function_tokens lists those that there are.")
		return
	}
	if err != nil {
		d.Backend.AddError(&resp.Diagnostics, "Cannot read the function token", err)
		return
	}
	m.shownToken = showToken(d.Backend, id, t)
	m.Region = types.StringValue(id.Region.String())
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}
