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

func NewRuntimesDataSource() datasource.DataSource {
	return &runtimesData{tfkit.BaseDataSource{TypeName: "scaleway_function_runtimes"}}
}

// runtimesDataModel is the configuration and the result.
type runtimesDataModel struct {
	Language types.String   `tfsdk:"language"`
	Status   types.String   `tfsdk:"status"`
	Region   types.String   `tfsdk:"region"`
	Runtimes []shownRuntime `tfsdk:"runtimes"`
}

type shownRuntime struct {
	Name           types.String `tfsdk:"name"`
	Language       types.String `tfsdk:"language"`
	Version        types.String `tfsdk:"version"`
	DefaultHandler types.String `tfsdk:"default_handler"`
	Extension      types.String `tfsdk:"extension"`
	Status         types.String `tfsdk:"status"`
	StatusMessage  types.String `tfsdk:"status_message"`
}

// runtimeStatuses are those that the service knew in October 2026 (SDK v1.39.0).
func runtimeStatuses() []string {
	return []string{
		sdk.RuntimeStatusBeta.String(), sdk.RuntimeStatusAvailable.String(), sdk.RuntimeStatusDeprecated.String(),
		sdk.RuntimeStatusEndOfSupport.String(), sdk.RuntimeStatusEndOfLife.String(),
	}
}

// Schema implements datasource.DataSource.
func (*runtimesData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The runtimes that functions can be written for, in the service's own order.",
		Attributes: map[string]schema.Attribute{
			"language": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists only runtimes of this language, for example `Go`, in upper or lower case.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"status": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Lists only runtimes of this status: `" + strings.Join(runtimeStatuses(), "`, `") + "`.",
				Validators:          []validator.String{stringvalidator.OneOf(runtimeStatuses()...)},
			},
			"region": tfkit.DataRegion("The region; the provider's by default."),
			"runtimes": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The runtimes.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":            tfkit.DataString("What the argument `runtime` of a function is set to, for example `go126`."),
					"language":        tfkit.DataString("The language."),
					"version":         tfkit.DataString("The version of the language."),
					"default_handler": tfkit.DataString("What the argument `handler` of a function most often is."),
					"extension":       tfkit.DataString("How names of files of source code end, without the dot."),
					"status":          tfkit.DataString("How far the runtime is in its life."),
					"status_message":  tfkit.DataString("What the service says of the status, if anything."),
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
	m.Runtimes = []shownRuntime{}
	for _, r := range runtimes {
		if m.lists(r) {
			m.Runtimes = append(m.Runtimes, showRuntime(r))
		}
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// lists reports whether the filters let the runtime through.
func (m *runtimesDataModel) lists(r *sdk.Runtime) bool {
	return (m.Language.IsNull() || strings.EqualFold(m.Language.ValueString(), r.Language)) &&
		(m.Status.IsNull() || m.Status.ValueString() == r.Status.String())
}

func showRuntime(r *sdk.Runtime) shownRuntime {
	return shownRuntime{
		Name:           types.StringValue(r.Name),
		Language:       types.StringValue(r.Language),
		Version:        types.StringValue(r.Version),
		DefaultHandler: types.StringValue(r.DefaultHandler),
		Extension:      types.StringValue(r.Extension),
		Status:         types.StringValue(r.Status.String()),
		StatusMessage:  types.StringValue(r.StatusMessage),
	}
}
