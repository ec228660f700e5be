package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// runtimesData is the data source scaleway_function_runtimes.
type runtimesData struct{ dataSource }

var _ datasource.DataSourceWithConfigure = (*runtimesData)(nil)

func newRuntimesData() datasource.DataSource {
	return &runtimesData{dataSource{typeName: "scaleway_function_runtimes"}}
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
		function.RuntimeStatusBeta.String(), function.RuntimeStatusAvailable.String(), function.RuntimeStatusDeprecated.String(),
		function.RuntimeStatusEndOfSupport.String(), function.RuntimeStatusEndOfLife.String(),
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
			"region": dataRegion("The region; the provider's by default."),
			"runtimes": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "The runtimes.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"name":            computedText("What the argument `runtime` of a function is set to, for example `go126`."),
					"language":        computedText("The language."),
					"version":         computedText("The version of the language."),
					"default_handler": computedText("What the argument `handler` of a function most often is."),
					"extension":       computedText("How names of files of source code end, without the dot."),
					"status":          computedText("How far the runtime is in its life."),
					"status_message":  computedText("What the service says of the status, if anything."),
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
	region := d.backend.regionOf(m.Region)
	runtimes, err := d.backend.Runtimes(ctx, region)
	if err != nil {
		d.backend.addError(&resp.Diagnostics, "Cannot list the function runtimes", err)
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
func (m *runtimesDataModel) lists(r *function.Runtime) bool {
	return (m.Language.IsNull() || strings.EqualFold(m.Language.ValueString(), r.Language)) &&
		(m.Status.IsNull() || m.Status.ValueString() == r.Status.String())
}

func showRuntime(r *function.Runtime) shownRuntime {
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
