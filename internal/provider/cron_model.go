package provider

import (
	"encoding/json"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// cronFields are what the service says of a cron.
type cronFields struct {
	ID         types.String `tfsdk:"id"`
	FunctionID types.String `tfsdk:"function_id"`
	Name       types.String `tfsdk:"name"`
	Schedule   types.String `tfsdk:"schedule"`
	Args       types.String `tfsdk:"args"`
	Status     types.String `tfsdk:"status"`
	Region     types.String `tfsdk:"region"`
}

// cronModel is a cron in configuration, plan and state.
type cronModel struct {
	cronFields
	Timeouts types.Object `tfsdk:"timeouts"`
}

// noArgs is what the service makes of arguments that are left out.
const noArgs = "{}"

// fill takes over what the service says, in the model's own spelling where that
// says the same.
func (m *cronFields) fill(id regional.ID, c *function.Cron) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, regionalReference(id, &c.FunctionID), spelling.Reference)
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

func (m *cronModel) createRequest(id regional.ID) *function.CreateCronRequest {
	return &function.CreateCronRequest{
		Region:     id.Region,
		FunctionID: id.UUID,
		Schedule:   m.Schedule.ValueString(),
		Args:       argsObject(m.Args),
		Name:       optionalText(m.Name),
	}
}

// updateRequest returns the request that makes the cron what is planned, or nil
// if it is so already.
func (m *cronModel) updateRequest(id regional.ID, functionID string, c *function.Cron) *function.UpdateCronRequest {
	req := &function.UpdateCronRequest{
		Region:     id.Region,
		CronID:     id.UUID,
		FunctionID: changedText(types.StringValue(functionID), &c.FunctionID),
		Schedule:   changedText(m.Schedule, &c.Schedule),
	}
	if isText(m.Name) {
		req.Name = changedText(m.Name, &c.Name)
	}
	if args := argsObject(m.Args); !spelling.JSON(argsText(args), argsText(c.Args)) {
		req.Args = args
	}
	if req.FunctionID == nil && req.Schedule == nil && req.Name == nil && req.Args == nil {
		return nil
	}
	return req
}
