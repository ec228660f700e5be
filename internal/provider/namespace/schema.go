package namespace

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// timeout is the timeout of each operation, as in the official provider.
const timeout = 5 * time.Minute

// Schema implements resource.Resource.
func (*namespaceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A namespace: a group of functions that share environment variables and tokens.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("namespace"),
			"name": tfkit.ReplacingAttribute("The name of the namespace, unique in the project. Defaults to a generated name. Changing this replaces the namespace.",
				nameValidators()...),
			"description":                  tfkit.DescriptionAttribute("namespace"),
			"tags":                         tfkit.TagsAttribute("namespace"),
			"environment_variables":        tfkit.EnvironmentAttribute("namespace"),
			"secret_environment_variables": tfkit.SecretsAttribute("namespace"),
			tfkit.WriteOnlySecrets:         tfkit.WriteOnlySecretsAttribute("namespace"),
			tfkit.WriteOnlySecretsVersion:  tfkit.WriteOnlySecretsVersionAttribute(),
			"registry_endpoint":            tfkit.StableAttribute("The endpoint of the container registry with the images of the functions."),
			"registry_namespace_id":        tfkit.StableAttribute("The UUID of the container registry with the images of the functions."),
			"region":                       tfkit.RegionAttribute("namespace"),
			"project_id":                   tfkit.ReplacingAttribute("The UUID of the project. Defaults to the provider's project. Changing this replaces the namespace.", tfkit.UUID()),
			"organization_id":              tfkit.StableAttribute("The UUID of the organization that owns the project."),
		},
		Blocks: map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*namespaceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m model
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	tfkit.CheckSecrets(m.SecretEnvironmentVariables, m.SecretsWO, &resp.Diagnostics)
}

func nameValidators() []validator.String {
	return []validator.String{tfkit.StringRule("letters, digits and hyphens that begin with a letter and end with a letter or digit", "Invalid namespace name", func(text string) string {
		if grammar.IsNamespaceName(text) {
			return ""
		}
		return tfkit.Quote(text) + " is not a valid namespace name: use letters, digits and hyphens, begin with a letter, " +
			"end with a letter or digit, and use at most " + strconv.Itoa(grammar.MaxNamespaceName) + " characters."
	})}
}
