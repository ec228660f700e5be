package cron

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// cronData is the data source scaleway_function_cron.
type cronData struct{ tfkit.BaseDataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*cronData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*cronData)(nil)
)

func NewDataSource() datasource.DataSource {
	return &cronData{tfkit.BaseDataSource{TypeName: "scaleway_function_cron"}}
}

// dataModel is the configuration and the result.
type dataModel struct {
	fields
	CronID types.String `tfsdk:"cron_id"`
}

// Schema implements datasource.DataSource.
func (*cronData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A cron that exists, found by its id, or by its name among those of a function.",
		Attributes: map[string]schema.Attribute{
			"cron_id":     tfkit.DataReference("The cron, of the form `region/uuid` or its uuid alone. Without it, `function_id` and `name` are set."),
			"function_id": tfkit.DataReference("The function that is called, of the form `region/uuid` or its uuid alone."),
			"name":        tfkit.DataArgument("The name of the cron."),
			"region":      tfkit.DataRegion("The region; that of `cron_id` or `function_id` if they name one, or else the provider's."),
			"id":          tfkit.DataString("The id of the cron, of the form `region/uuid`."),
			"schedule":    tfkit.DataString("When the function is called, as a cron expression in UTC."),
			"args":        tfkit.DataString("The body of each call, as JSON."),
			"status":      tfkit.DataString("The status of the cron; it calls when it is `ready`."),
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*cronData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	switch {
	case resp.Diagnostics.HasError():
	case spelling.Unset(m.CronID) && (spelling.Unset(m.FunctionID) || spelling.Unset(m.Name)):
		resp.Diagnostics.AddError("No cron to look for", "A cron is found by its id, or by its name among those of a function: set cron_id, or set function_id and name.")
	case tfkit.IsSet(m.CronID) && (tfkit.IsSet(m.FunctionID) || tfkit.IsSet(m.Name)):
		resp.Diagnostics.AddAttributeError(path.Root("cron_id"), "Two ways to one cron", "A cron is found by its id, or by its name among those of a function: remove cron_id, or remove function_id and name.")
	}
}

// Read implements datasource.DataSource.
func (d *cronData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	region := d.Backend.RegionOf(m.Region, m.CronID, m.FunctionID)
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
func (d *cronData) find(ctx context.Context, region scw.Region, m *dataModel, diags *diag.Diagnostics) *sdk.Cron {
	id := regional.ID{Region: region, UUID: tfkit.CheckReference(diags, "cron_id", m.CronID, region)}
	functionID := tfkit.CheckReference(diags, "function_id", m.FunctionID, region)
	if diags.HasError() {
		return nil
	}
	var known *sdk.Cron
	if id.UUID == "" {
		if known = d.findNamed(ctx, regional.ID{Region: region, UUID: functionID}, m.Name.ValueString(), diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	c, err := d.Backend.SettledCron(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("cron_id"), "No such cron",
			"There is no cron "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.Backend.AddError(diags, "Cannot read the cron", err)
		return nil
	}
	return c
}

func (d *cronData) findNamed(ctx context.Context, of regional.ID, name string, diags *diag.Diagnostics) *sdk.Cron {
	list, err := d.Backend.API().ListCrons(&sdk.ListCronsRequest{Region: of.Region, FunctionID: of.UUID}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.Backend.AddError(diags, "Cannot list the crons of the function", err)
		return nil
	}
	return tfkit.Lookup[sdk.Cron]{
		Noun: "cron", Place: "function " + of.String(), Name: name,
		NameOf:    func(c *sdk.Cron) string { return c.Name },
		Ambiguous: "set cron_id in place of function_id and name",
	}.In(list.Crons, diags)
}
