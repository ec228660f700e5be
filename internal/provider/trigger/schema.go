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

// The blocks that say where messages come from.
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
		MarkdownDescription: "A trigger: calls a function with each message of an SQS queue or of a NATS subject, by a POST with the message as its body. " +
			"The function may be private. Exactly one of the blocks `sqs` and `nats` is set; to change what it says makes another trigger.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("trigger"),
			"function_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The function that is called. Another function makes another trigger.",
				Validators:          []validator.String{tfkit.Reference()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), replaceUnlessUnread(spelling.Reference)},
			},
			"name": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The name of the trigger. Generated if left out.",
				Validators:          []validator.String{stringvalidator.LengthBetween(1, grammar.MaxAttachedName)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"description": tfkit.DescriptionAttribute("trigger"),
			"region":      tfkit.RegionAttribute(),
		},
		Blocks: map[string]schema.Block{
			sqsBlock: sourceBlock("The SQS queue that the messages come from.", map[string]schema.Attribute{
				"queue": sourceName("The name of the queue.", stringvalidator.LengthAtLeast(1)),
				"namespace_id": schema.StringAttribute{
					Optional: true, Computed: true,
					MarkdownDescription: "Nothing any more: the service names queues by project and region.",
					DeprecationMessage:  "Remove namespace_id: the service names queues by project_id and region.",
					PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference)},
				},
			}),
			natsBlock: sourceBlock("The NATS subject that the messages come from.", map[string]schema.Attribute{
				"subject": sourceName("The subject; `*` and `>` stand for parts of it.", subject()),
				"account_id": schema.StringAttribute{
					Optional: true, Computed: true,
					MarkdownDescription: "The account of Messaging and Queuing that the subject belongs to.",
					Validators:          []validator.String{tfkit.OptionalReference()},
					PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), replaceUnlessUnread(spelling.Reference)},
				},
			}),
			"timeouts": tfkit.TimeoutsBlock(timeout),
		},
	}
}

// sourceBlock is a block that occurs once at most. The official provider has it
// as a list, and its states hold it as one.
func sourceBlock(description string, attributes map[string]schema.Attribute) schema.Block {
	attributes["project_id"] = sourceDefault("The project of Messaging and Queuing; the function's by default.", tfkit.UUID())
	attributes["region"] = sourceDefault("The region of Messaging and Queuing; the trigger's by default.", tfkit.RegionName())
	return schema.ListNestedBlock{
		MarkdownDescription: description,
		NestedObject:        schema.NestedBlockObject{Attributes: attributes},
		Validators:          []validator.List{listvalidator.SizeAtMost(1)},
		PlanModifiers:       []planmodifier.List{replaceIfAddedOrRemoved()},
	}
}

func sourceName(description string, valid validator.String) schema.Attribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{valid},
		PlanModifiers:       []planmodifier.String{replaceUnlessUnread(spelling.Text)},
	}
}

// sourceDefault is configured, or decided by the service.
func sourceDefault(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{
		Optional: true, Computed: true,
		MarkdownDescription: description,
		Validators:          validators,
		PlanModifiers:       []planmodifier.String{keepRead{}, replaceUnlessUnset()},
	}
}

// unread reports whether a state names no source. The official provider reads
// neither the source nor the function: a state that it has imported says nothing
// of them, which is no reason to replace the trigger. Update makes sure that they
// are the same.
func unread(ctx context.Context, state tfsdk.State, diags *diag.Diagnostics) bool {
	var sqs, nats types.List
	diags.Append(state.GetAttribute(ctx, path.Root(sqsBlock), &sqs)...)
	diags.Append(state.GetAttribute(ctx, path.Root(natsBlock), &nats)...)
	return len(sqs.Elements())+len(nats.Elements()) == 0
}

// replaceUnlessUnread is replaceUnless for what may not have been read.
func replaceUnlessUnread(same spelling.Same) planmodifier.String {
	const description = "Another value makes another trigger."
	return stringplanmodifier.RequiresReplaceIf(
		func(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Equal(req.StateValue, req.PlanValue, same) && !unread(ctx, req.State, &resp.Diagnostics)
		}, description, description)
}

// replaceUnlessUnset replaces the trigger for another value, but not for one that
// the state lacks: the official provider leaves the region of a source null, also
// where it is configured. Update makes sure that the source is the same.
func replaceUnlessUnset() planmodifier.String {
	const description = "Another value makes another trigger."
	return stringplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Unset(req.StateValue) && !spelling.Equal(req.StateValue, req.PlanValue, spelling.Text)
		}, description, description)
}

// keepRead plans what the service has decided, once that was read.
type keepRead struct{}

func (keepRead) Description(context.Context) string {
	return "What the service has decided stays."
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

// subject wants a subject of NATS: the service takes any text, and a trigger of
// what is none never consumes.
func subject() validator.String {
	return tfkit.StringRule("a NATS subject such as orders.>", "Invalid subject", func(text string) string {
		if !grammar.IsSubject(text) {
			return tfkit.Quote(text) + " is no subject: write names with dots between, without blanks, where * stands for one name " +
				"and > at the end for all that follow, for example orders.> for whatever is below orders."
		}
		return ""
	})
}

// replaceIfAddedOrRemoved leaves what is in the block to its attributes.
func replaceIfAddedOrRemoved() planmodifier.List {
	const description = "Another source makes another trigger."
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
		resp.Diagnostics.AddError("A trigger without a source",
			"A trigger consumes one queue or one subject: write a block sqs with a queue, or a block nats with a subject.")
	case len(m.SQS.Elements()) > 0 && len(m.NATS.Elements()) > 0:
		resp.Diagnostics.AddAttributeError(path.Root(natsBlock), "A trigger with two sources",
			"A trigger consumes one queue or one subject: remove the block sqs or the block nats, or make two triggers.")
	}
}
