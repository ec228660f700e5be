package cron

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// timeout is the timeout of each operation, as in the official provider.
const timeout = 5 * time.Minute

// Schema implements resource.Resource.
func (*cronResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A cron: calls a function on a schedule. Each call is a POST request with JSON arguments as its body. The calls need no token, even if the function is private.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("cron"),
			"function_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The ID of the function to call.",
				Validators:          []validator.String{tfkit.Reference()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
			},
			"schedule": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "When to call the function, as a cron expression in UTC with the fields minute, hour, day of month, month and day of week, for example `*/5 * * * *`; " +
					"or `@hourly`, `@daily`, `@weekly`, `@monthly` or `@yearly`.",
				Validators: []validator.String{scheduleRule()},
			},
			"args": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The body of each call, a JSON object, for example from `jsonencode`. Defaults to an empty object.",
				Validators:          []validator.String{jsonObjectRule()},
				PlanModifiers:       []planmodifier.String{argsModifier{}},
			},
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The name of the cron. Defaults to a name that the service generates.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, grammar.MaxAttachedName)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"status": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The status of the cron. It calls the function only in status `ready`.",
				PlanModifiers:       []planmodifier.String{keepReady{}},
			},
			"region": tfkit.RegionAttribute("cron"),
		},
		Blocks: map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// argsModifier keeps the prior spelling of arguments that are equal as JSON, and plans
// an empty object if there are none, like the service.
type argsModifier struct{}

func (argsModifier) Description(context.Context) string {
	return "Arguments are compared as JSON. Missing arguments are an empty object."
}

func (m argsModifier) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (argsModifier) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	wanted := req.ConfigValue
	if wanted.IsNull() {
		wanted = types.StringValue(noArgs)
	}
	resp.PlanValue = spelling.Keep(req.StateValue, wanted, spelling.JSON)
}

// keepReady plans that a ready cron is ready after a change, because an update waits for
// that. Any other status is unknown after an apply.
type keepReady struct{}

func (keepReady) Description(context.Context) string {
	return "A ready cron is ready after a change."
}

func (m keepReady) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (keepReady) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.ValueString() == sdk.CronStatusReady.String() {
		resp.PlanValue = req.StateValue
	}
}

// scheduleRule returns a validator of schedules.
func scheduleRule() validator.String {
	return tfkit.StringRule("a cron expression such as */5 * * * *", "Invalid schedule", func(text string) string {
		const help = "write minute, hour, day of month, month and day of week in UTC, for example */5 * * * * for every five minutes; " +
			"or @hourly, @daily, @weekly, @monthly or @yearly."
		if _, err := grammar.ParseSchedule(text); err != nil {
			return tfkit.Quote(text) + " is not a valid cron expression (" + err.Error() + "): " + help
		}
		return ""
	})
}

// jsonObjectRule returns a validator of JSON objects.
func jsonObjectRule() validator.String {
	return tfkit.StringRule("a JSON object", "Invalid arguments", func(text string) string {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
			return `The value is not a JSON object: write one, for example jsonencode({ key = "value" }).`
		}
		return ""
	})
}
