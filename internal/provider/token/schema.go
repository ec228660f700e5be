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

// The descriptions of arguments and attributes that several schemas contain.
const (
	functionDescription  = "The ID of the function that the token grants access to. Set exactly one of `function_id` and `namespace_id`."
	namespaceDescription = "The ID of the namespace. The token grants access to all its functions. Set exactly one of `function_id` and `namespace_id`."
	tokenDescription     = "The token. Callers send it in the header `X-Auth-Token`."
	replaces             = " Changing this replaces the token."
)

// Schema implements resource.Resource.
func (*tokenResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A token for one private function, or for all private functions of a namespace. It is valid until it expires or is destroyed.\n\n" +
			"The state contains the token in clear. Protect the state, or use the ephemeral resource `scaleway_function_token`, which stores the token nowhere.",
		Attributes: map[string]schema.Attribute{
			"id":           tfkit.IDAttribute("token"),
			"function_id":  tokenArgument(functionDescription+replaces, spelling.Reference, tfkit.OptionalReference()),
			"namespace_id": tokenArgument(namespaceDescription+replaces, spelling.Reference, tfkit.OptionalReference()),
			"description":  tokenArgument("The description of the token."+replaces, spelling.Text),
			"expires_at": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The time when the token expires, in RFC 3339 format, for example `2030-01-31T12:00:00Z`. " +
					"Defaults to never, or to the time that `rotation` sets." + replaces,
				Validators:    []validator.String{tfkit.RFC3339()},
				PlanModifiers: []planmodifier.String{expiryModifier{}},
			},
			"ready_for_renewal": schema.BoolAttribute{
				Computed:            true,
				MarkdownDescription: "Whether the next apply replaces the token because it expires soon. Null without a `rotation` block.",
			},
			"token": schema.StringAttribute{
				Computed:            true,
				Sensitive:           true,
				MarkdownDescription: tokenDescription + " The API returns it only when the token is created: it is null for an imported token.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"region": tfkit.RegionAttribute("token"),
		},
		Blocks: map[string]schema.Block{"rotation": rotationBlock()},
	}
}

// tokenArgument is an optional argument. Changing it replaces the token, because the
// API cannot change a token.
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
