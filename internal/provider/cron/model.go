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

// fields are what the service says of a cron.
type fields struct {
	ID         types.String `tfsdk:"id"`
	FunctionID types.String `tfsdk:"function_id"`
	Name       types.String `tfsdk:"name"`
	Schedule   types.String `tfsdk:"schedule"`
	Args       types.String `tfsdk:"args"`
	Status     types.String `tfsdk:"status"`
	Region     types.String `tfsdk:"region"`
}

// model is a cron in configuration, plan and state.
type model struct {
	fields
	Timeouts types.Object `tfsdk:"timeouts"`
}

// noArgs is what the service makes of arguments that are left out.
const noArgs = "{}"

// fill takes over what the service says, in the model's own spelling where that
// says the same.
func (m *fields) fill(id regional.ID, c *sdk.Cron) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, &c.FunctionID), spelling.Reference)
	m.Name = types.StringValue(c.Name)
	m.Schedule = types.StringValue(c.Schedule)
	m.Args = spelling.Keep(m.Args, types.StringValue(argsText(c.Args)), spelling.JSON)
	m.Status = types.StringValue(c.Status.String())
	m.Region = types.StringValue(id.Region.String())
}

// argsText writes the arguments as the official provider does.
func argsText(args *scw.JSONObject) string {
	if args == nil || *args == nil {
		return noArgs
	}
	text, err := json.Marshal(*args)
	if err != nil {
		return noArgs // what was JSON is JSON
	}
	return string(text)
}

// argsObject reads the planned arguments, with numbers as they are written. They
// have been validated.
func argsObject(args types.String) *scw.JSONObject {
	object := scw.JSONObject{}
	decoder := json.NewDecoder(strings.NewReader(args.ValueString()))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return &scw.JSONObject{}
	}
	return &object
}

func (m *model) createRequest(id regional.ID) *sdk.CreateCronRequest {
	return &sdk.CreateCronRequest{
		Region:     id.Region,
		FunctionID: id.UUID,
		Schedule:   m.Schedule.ValueString(),
		Args:       argsObject(m.Args),
		Name:       tfkit.OptionalString(m.Name),
	}
}

// updateRequest returns the request that makes the cron what is planned, or nil
// if it is so already.
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
