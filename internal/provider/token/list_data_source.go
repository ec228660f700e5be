package token

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// tokenListData is the data source scaleway_function_tokens.
type tokenListData struct{ tfkit.BaseDataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*tokenListData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*tokenListData)(nil)
)

func NewListDataSource() datasource.DataSource {
	return &tokenListData{tfkit.BaseDataSource{TypeName: "scaleway_function_tokens"}}
}

// mostOnPage is the largest page that the service gives.
const mostOnPage = 100

// listDataModel is the configuration and the result.
type listDataModel struct {
	FunctionID    types.String `tfsdk:"function_id"`
	NamespaceID   types.String `tfsdk:"namespace_id"`
	ExpiresBefore types.String `tfsdk:"expires_before"`
	Expired       types.Bool   `tfsdk:"expired"`
	Region        types.String `tfsdk:"region"`
	Tokens        []shownToken `tfsdk:"tokens"`
}

// Schema implements datasource.DataSource.
func (*tokenListData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tokens of a function or of a namespace, oldest first: to see who has one, which never expire, and which soon will. " +
			"The tokens themselves cannot be read.",
		Attributes: map[string]schema.Attribute{
			"function_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists the tokens of this function. Exactly one of `function_id` and `namespace_id` is set.",
				Validators:          []validator.String{tfkit.OptionalReference()},
			},
			"namespace_id": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Lists the tokens that open all functions of this namespace. Those of a single function of it are listed by `function_id`. " +
					"Exactly one of the two is set.",
				Validators: []validator.String{tfkit.OptionalReference()},
			},
			"expires_before": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Lists only tokens that expire before this time, as in `2030-01-31T12:00:00Z`, expired ones among them. " +
					"A token that never expires is not listed.",
				Validators: []validator.String{tfkit.RFC3339()},
			},
			"expired": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "`true` lists only tokens that have expired, `false` only those that have not.",
			},
			"region": tfkit.DataRegion("The region; that of `function_id` or `namespace_id` if they name one, or else the provider's."),
			"tokens": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The tokens.",
				NestedObject:        schema.NestedAttributeObject{Attributes: shownTokenAttributes()},
			},
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*tokenListData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m listDataModel
	for name, target := range map[string]*types.String{"function_id": &m.FunctionID, "namespace_id": &m.NamespaceID} {
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), target)...)
	}
	if !resp.Diagnostics.HasError() {
		checkScope(m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	}
}

// Read implements datasource.DataSource.
func (d *tokenListData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m listDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	scope := readScope(d.Backend, m.Region, m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	list, err := d.Backend.API().ListTokens(&sdk.ListTokensRequest{
		Region: scope.Region, FunctionID: scope.FunctionID, NamespaceID: scope.NamespaceID,
		OrderBy: sdk.ListTokensRequestOrderByCreatedAtAsc, PageSize: new(uint32(mostOnPage)),
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.Backend.AddError(&resp.Diagnostics, "Cannot list the function tokens", err)
		return
	}
	m.Region = types.StringValue(scope.Region.String())
	m.Tokens = []shownToken{}
	now := d.Backend.Now()
	for _, t := range list.Tokens {
		if m.lists(t, now) {
			m.Tokens = append(m.Tokens, showToken(d.Backend, regional.ID{Region: scope.Region, UUID: t.ID}, t))
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// lists reports whether the filters let the token through.
func (m *listDataModel) lists(t *sdk.Token, now time.Time) bool {
	if limit, err := time.Parse(time.RFC3339, m.ExpiresBefore.ValueString()); err == nil {
		if t.ExpiresAt == nil || !t.ExpiresAt.Before(limit) {
			return false
		}
	}
	return m.Expired.IsNull() || m.Expired.ValueBool() == expired(t, now)
}
