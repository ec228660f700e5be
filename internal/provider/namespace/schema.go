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
		MarkdownDescription: "A namespace: a group of functions, with variables and tokens that hold for all of them.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("namespace"),
			"name": tfkit.ReplacingAttribute("The name, unique in the project. Generated if left out. Another name makes another namespace.",
				nameValidators()...),
			"description":                  tfkit.DescriptionAttribute("namespace"),
			"tags":                         tfkit.TagsAttribute("namespace"),
			"environment_variables":        tfkit.EnvironmentAttribute("namespace"),
			"secret_environment_variables": tfkit.SecretsAttribute("namespace"),
			tfkit.WriteOnlySecrets:         tfkit.WriteOnlySecretsAttribute("namespace"),
			tfkit.WriteOnlySecretsVersion:  tfkit.WriteOnlySecretsVersionAttribute(),
			"registry_endpoint":            tfkit.StableAttribute("Where the images of the functions are kept."),
			"registry_namespace_id":        tfkit.StableAttribute("The uuid of the registry that keeps the images of the functions."),
			"region":                       tfkit.RegionAttribute(),
			"project_id":                   tfkit.ReplacingAttribute("The project; the provider's by default. Another project makes another namespace.", tfkit.UUID()),
			"organization_id":              tfkit.StableAttribute("The organization that the project belongs to."),
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
	return []validator.String{tfkit.StringRule("letters, digits and hyphens, with a letter first and no hyphen last", "Invalid namespace name", func(text string) string {
		if grammar.IsNamespaceName(text) {
			return ""
		}
		return tfkit.Quote(text) + " is not a namespace name: a namespace name begins with a letter, goes on with letters, digits and hyphens, " +
			"ends with a letter or digit, and has at most " + strconv.Itoa(grammar.MaxNamespaceName) + " characters."
	})}
}
