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
		MarkdownDescription: "A cron: calls a function on a schedule, by a POST with JSON arguments as its body. The function may be private.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("cron"),
			"function_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The function that is called. To name another one changes the cron in place.",
				Validators:          []validator.String{tfkit.Reference()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
			},
			"schedule": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "When the function is called, in UTC: minute, hour, day of month, month and day of week, as in `*/5 * * * *`; " +
					"or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.",
				Validators: []validator.String{schedule()},
			},
			"args": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The body of each call: a JSON object, as by `jsonencode`. An empty object if left out.",
				Validators:          []validator.String{jsonObject()},
				PlanModifiers:       []planmodifier.String{argsModifier{}},
			},
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The name of the cron. The service makes one up if it is left out.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, grammar.MaxAttachedName)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"status": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "The status of the cron; it calls when it is `ready`.",
				PlanModifiers:       []planmodifier.String{staysReady{}},
			},
			"region": tfkit.RegionAttribute(),
		},
		Blocks: map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// argsModifier plans the prior spelling of arguments that say the same, and an
// empty object where they are left out, as the service makes it.
type argsModifier struct{}

func (argsModifier) Description(context.Context) string {
	return "Arguments are compared as JSON; none are an empty object."
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

// staysReady plans the status of an object that is ready: a change ends when it is
// so again. One that is not may come to be.
type staysReady struct{}

func (staysReady) Description(context.Context) string {
	return "What is ready is ready after a change, too."
}

func (m staysReady) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (staysReady) PlanModifyString(_ context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.StateValue.ValueString() == sdk.CronStatusReady.String() {
		resp.PlanValue = req.StateValue
	}
}

// schedule wants a cron expression of what the service takes.
func schedule() validator.String {
	return tfkit.StringRule("a cron expression such as */5 * * * *", "Invalid schedule", func(text string) string {
		const help = "write minute, hour, day of month, month and day of week, for example */5 * * * * for every five minutes, in UTC; " +
			"or @hourly, @daily, @weekly, @monthly or @yearly."
		if _, err := grammar.ParseSchedule(text); err != nil {
			return tfkit.Quote(text) + " is no cron expression (" + err.Error() + "): " + help
		}
		return ""
	})
}

// jsonObject wants a JSON object.
func jsonObject() validator.String {
	return tfkit.StringRule("a JSON object", "Invalid arguments", func(text string) string {
		var object map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &object); err != nil || object == nil {
			return `The arguments are no JSON object: write one, for example jsonencode({ key = "value" }).`
		}
		return ""
	})
}
