package cron

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// fields are the attributes that the resource and the data source share.
type fields struct {
	ID         types.String `tfsdk:"id"`
	FunctionID types.String `tfsdk:"function_id"`
	Name       types.String `tfsdk:"name"`
	Schedule   types.String `tfsdk:"schedule"`
	Args       types.String `tfsdk:"args"`
	Status     types.String `tfsdk:"status"`
	Region     types.String `tfsdk:"region"`
}

// model is the cron resource in a configuration, plan or state.
type model struct {
	fields
	Timeouts types.Object `tfsdk:"timeouts"`
}

// noArgs is the value that the service sets for missing arguments.
const noArgs = "{}"

// fill sets the attributes from the API's answer. It keeps the model's spelling of
// equal values.
func (m *fields) fill(id regional.ID, c *sdk.Cron) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, &c.FunctionID), spelling.Reference)
	m.Name = types.StringValue(c.Name)
	m.Schedule = types.StringValue(c.Schedule)
	m.Args = spelling.Keep(m.Args, types.StringValue(argsText(c.Args)), spelling.JSON)
	m.Status = types.StringValue(c.Status.String())
	m.Region = types.StringValue(id.Region.String())
}

// argsText returns the arguments as JSON, formatted as by the official provider.
func argsText(args *scw.JSONObject) string {
	if args == nil || *args == nil {
		return noArgs
	}
	text, err := json.Marshal(*args)
	if err != nil {
		return noArgs // Unreachable: args was decoded from JSON.
	}
	return string(text)
}

// argsObject decodes the validated arguments. It keeps numbers as they are written.
func argsObject(args types.String) *scw.JSONObject {
	object := scw.JSONObject{}
	decoder := json.NewDecoder(strings.NewReader(args.ValueString()))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return &scw.JSONObject{}
	}
	return &object
}

// createRequest returns the request that creates the planned cron for the function id.
func (m *model) createRequest(id regional.ID) *sdk.CreateCronRequest {
	return &sdk.CreateCronRequest{
		Region:     id.Region,
		FunctionID: id.UUID,
		Schedule:   m.Schedule.ValueString(),
		Args:       argsObject(m.Args),
		Name:       tfkit.OptionalString(m.Name),
	}
}

// updateRequest returns the request with the planned changes, or nil if there are none.
func (m *model) updateRequest(id regional.ID, functionID string, c *sdk.Cron) *sdk.UpdateCronRequest {
	req := &sdk.UpdateCronRequest{
		Region:     id.Region,
		CronID:     id.UUID,
		FunctionID: tfkit.ChangedString(types.StringValue(functionID), &c.FunctionID),
		Schedule:   tfkit.ChangedString(m.Schedule, &c.Schedule),
	}
	if tfkit.IsSet(m.Name) {
		req.Name = tfkit.ChangedString(m.Name, &c.Name)
	}
	if args := argsObject(m.Args); !spelling.JSON(argsText(args), argsText(c.Args)) {
		req.Args = args
	}
	if req.FunctionID == nil && req.Schedule == nil && req.Name == nil && req.Args == nil {
		return nil
	}
	return req
}
