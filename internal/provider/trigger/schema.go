package trigger

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/listplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// The names of the source blocks.
const (
	sqsBlock  = "sqs"
	natsBlock = "nats"
)

// timeout is the timeout of each operation, as in the official provider.
const timeout = 15 * time.Minute

// Schema implements resource.Resource.
func (*triggerResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A trigger: calls a function for each message of an SQS queue or a NATS subject. Each call is a POST request with the message as its body. " +
			"The calls need no token, even if the function is private. Set exactly one of the blocks `sqs` and `nats`; changing it replaces the trigger.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("trigger"),
			"function_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The ID of the function to call. Changing this replaces the trigger.",
				Validators:          []validator.String{tfkit.Reference()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), replaceUnlessUnread(spelling.Reference)},
			},
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The name of the trigger. Defaults to a generated name.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, grammar.MaxAttachedName)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"description": tfkit.DescriptionAttribute("trigger"),
			"region":      tfkit.RegionAttribute("trigger"),
		},
		Blocks: map[string]schema.Block{
			sqsBlock: sourceBlock("The SQS queue to receive messages from.", map[string]schema.Attribute{
				"queue": sourceName("The name of the queue.", stringvalidator.LengthAtLeast(1)),
				"namespace_id": schema.StringAttribute{
					Optional: true, Computed: true,
					MarkdownDescription: "Ignored: the API identifies a queue by its project and region.",
					DeprecationMessage:  "Remove namespace_id: the API identifies a queue by its project_id and region.",
					PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
				},
			}),
			natsBlock: sourceBlock("The NATS subject to receive messages from.", map[string]schema.Attribute{
				"subject": sourceName("The subject. `*` matches one token, and `>` at the end matches one or more.", subjectRule()),
				"account_id": schema.StringAttribute{
					Optional: true, Computed: true,
					MarkdownDescription: "The ID of the NATS account of Messaging and Queuing.",
					Validators:          []validator.String{tfkit.OptionalReference()},
					PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), replaceUnlessUnread(spelling.Reference)},
				},
			}),
			"timeouts": tfkit.TimeoutsBlock(timeout),
		},
	}
}

// sourceBlock returns a block that may occur at most once. It is a list because it is one
// in the official provider and in its states.
func sourceBlock(description string, attributes map[string]schema.Attribute) schema.Block {
	attributes["project_id"] = sourceDefault("The UUID of the project of Messaging and Queuing. Defaults to the provider's project.", tfkit.UUID())
	attributes["region"] = sourceDefault("The region of Messaging and Queuing. Defaults to the region of the trigger.", tfkit.RegionName())
	return schema.ListNestedBlock{
		MarkdownDescription: description,
		NestedObject:        schema.NestedBlockObject{Attributes: attributes},
		Validators:          []validator.List{listvalidator.SizeAtMost(1)},
		PlanModifiers:       []planmodifier.List{replaceIfAddedOrRemoved()},
	}
}

// sourceName is a required attribute of a source. Changing it replaces the trigger.
func sourceName(description string, valid validator.String) schema.Attribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{valid},
		PlanModifiers:       []planmodifier.String{replaceUnlessUnread(spelling.Text)},
	}
}

// sourceDefault is an optional attribute of a source with a default of the service.
func sourceDefault(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		MarkdownDescription: description,
		Validators:          validators,
		PlanModifiers:       []planmodifier.String{keepRead{}, replaceUnlessUnset()},
	}
}

// unread reports whether a state contains no source. The official provider reads neither
// the source nor the function, so a state that it has imported lacks both. That is no
// reason to replace the trigger; Update checks that they are the configured ones.
func unread(ctx context.Context, state tfsdk.State, diags *diag.Diagnostics) bool {
	var sqs, nats types.List
	diags.Append(state.GetAttribute(ctx, path.Root(sqsBlock), &sqs)...)
	diags.Append(state.GetAttribute(ctx, path.Root(natsBlock), &nats)...)
	return len(sqs.Elements())+len(nats.Elements()) == 0
}

// replaceUnlessUnread replaces the trigger if the planned and the prior value differ by
// same, unless the prior state is unread.
func replaceUnlessUnread(same spelling.Same) planmodifier.String {
	const description = "Changing this replaces the trigger."
	return stringplanmodifier.RequiresReplaceIf(
		func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Equal(req.StateValue, req.PlanValue, same) && !unread(ctx, req.State, &resp.Diagnostics)
		}, description, description)
}

// replaceUnlessUnset replaces the trigger if the value changes, but not if the state
// lacks it: the official provider leaves the region of a source null, even if it is
// configured. Update checks that the source is the configured one.
func replaceUnlessUnset() planmodifier.String {
	const description = "Changing this replaces the trigger."
	return stringplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Unset(req.StateValue) && !spelling.Equal(req.StateValue, req.PlanValue, spelling.Text)
		}, description, description)
}

// keepRead keeps a value that the service has set, if the state contains it.
type keepRead struct{}

func (keepRead) Description(context.Context) string {
	return "The value that the service has set does not change."
}

func (m keepRead) MarkdownDescription(ctx context.Context) string {
	return m.Description(ctx)
}

// PlanModifyString implements planmodifier.String.
func (keepRead) PlanModifyString(ctx context.Context, req planmodifier.StringRequest, resp *planmodifier.StringResponse) {
	if req.PlanValue.IsUnknown() && !req.State.Raw.IsNull() && !unread(ctx, req.State, &resp.Diagnostics) {
		resp.PlanValue = req.StateValue
	}
}

// subjectRule returns a validator of NATS subjects. The service accepts any text, but a
// trigger with an invalid subject never receives a message.
func subjectRule() validator.String {
	return tfkit.StringRule("a NATS subject such as orders.>", "Invalid subject", func(text string) string {
		if !grammar.IsSubject(text) {
			return tfkit.Quote(text) + " is not a valid subject: write tokens separated by dots, without spaces. * matches one token, " +
				"and > at the end matches one or more, for example orders.> for all subjects below orders."
		}
		return ""
	})
}

// replaceIfAddedOrRemoved replaces the trigger if the block is added or removed. The
// attributes in the block decide about their own changes.
func replaceIfAddedOrRemoved() planmodifier.List {
	const description = "Adding or removing the block replaces the trigger."
	return listplanmodifier.RequiresReplaceIf(
		func(ctx context.Context, req planmodifier.ListRequest, resp *listplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = len(req.StateValue.Elements()) != len(req.PlanValue.Elements()) && !unread(ctx, req.State, &resp.Diagnostics)
		}, description, description)
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*triggerResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || m.SQS.IsUnknown() || m.NATS.IsUnknown() {
		return
	}
	switch sources := len(m.SQS.Elements()) + len(m.NATS.Elements()); {
	case sources == 0:
		resp.Diagnostics.AddError("Missing sqs or nats block",
			"A trigger receives messages from one queue or one subject: add an sqs block with a queue, or a nats block with a subject.")
	case len(m.SQS.Elements()) > 0 && len(m.NATS.Elements()) > 0:
		resp.Diagnostics.AddAttributeError(path.Root(natsBlock), "Both sqs and nats blocks are set",
			"A trigger receives messages from one queue or one subject: remove the sqs block or the nats block, or create two triggers.")
	}
}
