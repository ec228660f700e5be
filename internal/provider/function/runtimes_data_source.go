package function

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// runtimesData is the data source scaleway_function_runtimes.
type runtimesData struct{ tfkit.BaseDataSource }

var _ datasource.DataSourceWithConfigure = (*runtimesData)(nil)

// NewRuntimesDataSource returns the data source scaleway_function_runtimes.
func NewRuntimesDataSource() datasource.DataSource {
	return &runtimesData{tfkit.BaseDataSource{TypeName: "scaleway_function_runtimes"}}
}

// runtimesDataModel is the configuration and the result.
type runtimesDataModel struct {
	Language types.String  `tfsdk:"language"`
	Status   types.String  `tfsdk:"status"`
	Region   types.String  `tfsdk:"region"`
	Runtimes []runtimeInfo `tfsdk:"runtimes"`
}

// runtimeInfo is a runtime in the result.
type runtimeInfo struct {
	Name           types.String `tfsdk:"name"`
	Language       types.String `tfsdk:"language"`
	Version        types.String `tfsdk:"version"`
	DefaultHandler types.String `tfsdk:"default_handler"`
	Extension      types.String `tfsdk:"extension"`
	Status         types.String `tfsdk:"status"`
	StatusMessage  types.String `tfsdk:"status_message"`
}

// runtimeStatuses returns the statuses that the service has (SDK v1.39.0, October 2026).
func runtimeStatuses() []string {
	return []string{
		sdk.RuntimeStatusBeta.String(), sdk.RuntimeStatusAvailable.String(), sdk.RuntimeStatusDeprecated.String(),
		sdk.RuntimeStatusEndOfSupport.String(), sdk.RuntimeStatusEndOfLife.String(),
	}
}

// Schema implements datasource.DataSource.
func (*runtimesData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Lists the runtimes for functions, in the order of the API.",
		Attributes: map[string]schema.Attribute{
			"language": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists only runtimes of this language, for example `Go`. Case is ignored.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"status": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists only runtimes in this status: `" + strings.Join(runtimeStatuses(), "`, `") + "`.",
				Validators:          []validator.String{stringvalidator.OneOf(runtimeStatuses()...)},
			},
			"region": tfkit.DataRegion("The region of the runtimes. Defaults to the provider's region."),
			"runtimes": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The runtimes.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":            tfkit.DataString("The name of the runtime, for example `go126`: the value for `runtime` of a function."),
					"language":        tfkit.DataString("The programming language."),
					"version":         tfkit.DataString("The version of the language."),
					"default_handler": tfkit.DataString("The default handler: a usual value for `handler` of a function."),
					"extension":       tfkit.DataString("The file extension of source files, without the dot."),
					"status":          tfkit.DataString("The status of the runtime."),
					"status_message":  tfkit.DataString("The message of the service about the status. Empty without one."),
				}},
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *runtimesData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m runtimesDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	region := d.Backend.RegionOf(m.Region)
	runtimes, err := d.Backend.Runtimes(ctx, region)
	if err != nil {
		d.Backend.AddError(&resp.Diagnostics, "Cannot list the function runtimes", err)
		return
	}
	m.Region = types.StringValue(region.String())
	m.Runtimes = []runtimeInfo{}
	for _, r := range runtimes {
		if m.matches(r) {
			m.Runtimes = append(m.Runtimes, newRuntimeInfo(r))
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// matches reports whether the runtime matches the filters.
func (m *runtimesDataModel) matches(r *sdk.Runtime) bool {
	return (m.Language.IsNull() || strings.EqualFold(m.Language.ValueString(), r.Language)) &&
		(m.Status.IsNull() || m.Status.ValueString() == r.Status.String())
}

// newRuntimeInfo returns a runtime from the API's answer.
func newRuntimeInfo(r *sdk.Runtime) runtimeInfo {
	return runtimeInfo{
		Name:           types.StringValue(r.Name),
		Language:       types.StringValue(r.Language),
		Version:        types.StringValue(r.Version),
		DefaultHandler: types.StringValue(r.DefaultHandler),
		Extension:      types.StringValue(r.Extension),
		Status:         types.StringValue(r.Status.String()),
		StatusMessage:  types.StringValue(r.StatusMessage),
	}
}
