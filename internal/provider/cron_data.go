package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// cronData is the data source scaleway_function_cron.
type cronData struct{ dataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*cronData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*cronData)(nil)
)

func newCronData() datasource.DataSource {
	return &cronData{dataSource{typeName: "scaleway_function_cron"}}
}

// cronDataModel is the configuration and the result.
type cronDataModel struct {
	cronFields
	CronID types.String `tfsdk:"cron_id"`
}

// Schema implements datasource.DataSource.
func (*cronData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A cron that exists, found by its id, or by its name among those of a function.",
		Attributes: map[string]schema.Attribute{
			"cron_id":     dataReference("The cron, of the form `region/uuid` or its uuid alone. Without it, `function_id` and `name` are set."),
			"function_id": dataReference("The function that is called, of the form `region/uuid` or its uuid alone."),
			"name":        dataArgument("The name of the cron."),
			"region":      dataRegion("The region; that of `cron_id` or `function_id` if they name one, or else the provider's."),
			"id":          computedText("The id of the cron, of the form `region/uuid`."),
			"schedule":    computedText("When the function is called, as a cron expression in UTC."),
			"args":        computedText("The body of each call, as JSON."),
			"status":      computedText("The status of the cron; it calls when it is `ready`."),
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*cronData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m cronDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	switch {
	case resp.Diagnostics.HasError():
	case spelling.Unset(m.CronID) && (spelling.Unset(m.FunctionID) || spelling.Unset(m.Name)):
		resp.Diagnostics.AddError("No cron to look for", "A cron is found by its id, or by its name among those of a function: set cron_id, or set function_id and name.")
	case isText(m.CronID) && (isText(m.FunctionID) || isText(m.Name)):
		resp.Diagnostics.AddAttributeError(path.Root("cron_id"), "Two ways to one cron", "A cron is found by its id, or by its name among those of a function: remove cron_id, or remove function_id and name.")
	}
}

// Read implements datasource.DataSource.
func (d *cronData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m cronDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cronTimeout)
	defer cancel()
	region := d.backend.regionOf(m.Region, m.CronID, m.FunctionID)
	c := d.find(ctx, region, &m, &resp.Diagnostics)
	if c == nil {
		return
	}
	id := regional.ID{Region: region, UUID: c.ID}
	m.fill(id, c)
	m.CronID = spelling.Keep(m.CronID, m.ID, spelling.Reference)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the cron that the configuration means, once it is neither made
// nor changed, and nil after an error, which it reports.
func (d *cronData) find(ctx context.Context, region scw.Region, m *cronDataModel, diags *diag.Diagnostics) *function.Cron {
	id := regional.ID{Region: region, UUID: checkReference(diags, "cron_id", m.CronID, region)}
	functionID := checkReference(diags, "function_id", m.FunctionID, region)
	if diags.HasError() {
		return nil
	}
	var known *function.Cron
	if id.UUID == "" {
		if known = d.findNamed(ctx, regional.ID{Region: region, UUID: functionID}, m.Name.ValueString(), diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	c, err := d.backend.SettledCron(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("cron_id"), "No such cron",
			"There is no cron "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.backend.addError(diags, "Cannot read the cron", err)
		return nil
	}
	return c
}

func (d *cronData) findNamed(ctx context.Context, of regional.ID, name string, diags *diag.Diagnostics) *function.Cron {
	list, err := d.backend.API().ListCrons(&function.ListCronsRequest{Region: of.Region, FunctionID: of.UUID}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.backend.addError(diags, "Cannot list the crons of the function", err)
		return nil
	}
	return named[function.Cron]{
		noun: "cron", place: "function " + of.String(), name: name,
		nameOf:  func(c *function.Cron) string { return c.Name },
		several: "set cron_id in place of function_id and name",
	}.among(list.Crons, diags)
}
