package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// tokensData is the data source scaleway_function_tokens.
type tokensData struct{ dataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*tokensData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*tokensData)(nil)
)

func newTokensData() datasource.DataSource {
	return &tokensData{dataSource{typeName: "scaleway_function_tokens"}}
}

// mostOnPage is the largest page that the service gives.
const mostOnPage = 100

// tokensDataModel is the configuration and the result.
type tokensDataModel struct {
	FunctionID    types.String `tfsdk:"function_id"`
	NamespaceID   types.String `tfsdk:"namespace_id"`
	ExpiresBefore types.String `tfsdk:"expires_before"`
	Expired       types.Bool   `tfsdk:"expired"`
	Region        types.String `tfsdk:"region"`
	Tokens        []shownToken `tfsdk:"tokens"`
}

// Schema implements datasource.DataSource.
func (*tokensData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tokens of a function or of a namespace, oldest first: to see who has one, which never expire, and which soon will. " +
			"The tokens themselves cannot be read.",
		Attributes: map[string]schema.Attribute{
			"function_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists the tokens of this function. Exactly one of `function_id` and `namespace_id` is set.",
				Validators:          []validator.String{optionalReference()},
			},
			"namespace_id": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Lists the tokens that open all functions of this namespace. Those of a single function of it are listed by `function_id`. " +
					"Exactly one of the two is set.",
				Validators: []validator.String{optionalReference()},
			},
			"expires_before": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Lists only tokens that expire before this time, as in `2030-01-31T12:00:00Z`, expired ones among them. " +
					"A token that never expires is not listed.",
				Validators: []validator.String{rfc3339()},
			},
			"expired": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "`true` lists only tokens that have expired, `false` only those that have not.",
			},
			"region": dataRegion("The region; that of `function_id` or `namespace_id` if they name one, or else the provider's."),
			"tokens": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The tokens.",
				NestedObject:        schema.NestedAttributeObject{Attributes: shownTokenAttributes()},
			},
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*tokensData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m tokensDataModel
	for name, target := range map[string]*types.String{"function_id": &m.FunctionID, "namespace_id": &m.NamespaceID} {
		resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root(name), target)...)
	}
	if !resp.Diagnostics.HasError() {
		checkScope(m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	}
}

// Read implements datasource.DataSource.
func (d *tokensData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m tokensDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	scope := d.backend.scope(m.Region, m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	list, err := d.backend.API().ListTokens(&function.ListTokensRequest{
		Region: scope.Region, FunctionID: scope.FunctionID, NamespaceID: scope.NamespaceID,
		OrderBy: function.ListTokensRequestOrderByCreatedAtAsc, PageSize: new(uint32(mostOnPage)),
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.backend.addError(&resp.Diagnostics, "Cannot list the function tokens", err)
		return
	}
	m.Region = types.StringValue(scope.Region.String())
	m.Tokens = []shownToken{}
	now := d.backend.now()
	for _, t := range list.Tokens {
		if m.lists(t, now) {
			m.Tokens = append(m.Tokens, d.backend.showToken(regional.ID{Region: scope.Region, UUID: t.ID}, t))
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// lists reports whether the filters let the token through.
func (m *tokensDataModel) lists(t *function.Token, now time.Time) bool {
	if limit, err := time.Parse(time.RFC3339, m.ExpiresBefore.ValueString()); err == nil {
		if t.ExpiresAt == nil || !t.ExpiresAt.Before(limit) {
			return false
		}
	}
	return m.Expired.IsNull() || m.Expired.ValueBool() == expired(t, now)
}
