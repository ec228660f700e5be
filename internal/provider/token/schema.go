package token

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// Schema implements resource.Resource.
func (*tokenResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A token that opens one private function, or all private functions of one namespace, until it expires or is destroyed. " +
			"To change any argument makes another token. The state holds the token in clear: protect it, " +
			"or use the ephemeral resource of the same name, which leaves no trace.",
		Attributes: map[string]schema.Attribute{
			"id":           tfkit.IDAttribute("token"),
			"function_id":  tokenArgument("The function that the token opens. Exactly one of `function_id` and `namespace_id` is set.", spelling.Reference, tfkit.OptionalReference()),
			"namespace_id": tokenArgument("The namespace whose functions the token opens. Exactly one of `function_id` and `namespace_id` is set.", spelling.Reference, tfkit.OptionalReference()),
			"description":  tokenArgument("A description of the token.", spelling.Text),
			"expires_at": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "When the token stops to open anything, as in `2030-01-31T12:00:00Z`. Left out: never, or what `rotation` makes of it.",
				Validators:          []validator.String{tfkit.RFC3339()},
				PlanModifiers:       []planmodifier.String{expiryModifier{}},
			},
			"ready_for_renewal": schema.BoolAttribute{
				Computed:            true,
				MarkdownDescription: "Whether the token is so near its end that the next apply replaces it. Null without `rotation`.",
			},
			"token": schema.StringAttribute{
				Computed:  true,
				Sensitive: true,
				MarkdownDescription: "The token, to be sent as the header `X-Auth-Token`. The service shows it once, when the token is made: " +
					"for a token that is imported, it is null.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"region": tfkit.RegionAttribute(),
		},
		Blocks: map[string]schema.Block{"rotation": rotationBlock()},
	}
}

// tokenArgument cannot be changed: the service has no way to change a token.
func tokenArgument(description string, same spelling.Same, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description,
		Validators:          validators,
		PlanModifiers:       []planmodifier.String{spelling.String(same), tfkit.ReplaceUnless(same)},
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*tokenResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	checkScope(m.FunctionID, m.NamespaceID, &resp.Diagnostics)
	m.checkRotation(&resp.Diagnostics)
}
