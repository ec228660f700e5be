package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
)

// Schema implements resource.Resource.
func (*namespaceResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = namespaceSchema()
}

func namespaceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A namespace: a group of functions, with variables and tokens that hold for all of them.",
		Attributes: map[string]schema.Attribute{
			"id": idAttribute("namespace"),
			"name": replacingAttribute("The name, unique in the project. Generated if left out. Another name makes another namespace.",
				namespaceNameValidators()...),
			"description":                  descriptionAttribute("namespace"),
			"tags":                         tagsAttribute("namespace"),
			"environment_variables":        environmentAttribute("namespace"),
			"secret_environment_variables": secretsAttribute("namespace"),
			writeOnlySecrets:               writeOnlySecretsAttribute("namespace"),
			writeOnlySecretsVersion:        writeOnlySecretsVersionAttribute(),
			"registry_endpoint":            stableAttribute("Where the images of the functions are kept."),
			"registry_namespace_id":        stableAttribute("The uuid of the registry that keeps the images of the functions."),
			"region":                       regionAttribute(),
			"project_id":                   replacingAttribute("The project; the provider's by default. Another project makes another namespace.", uuid()),
			"organization_id":              stableAttribute("The organization that the project belongs to."),
		},
		Blocks: map[string]schema.Block{"timeouts": timeoutsBlock(namespaceTimeout)},
	}
}

// ValidateConfig implements resource.ResourceWithValidateConfig.
func (*namespaceResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m namespaceModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	checkSecrets(m.SecretEnvironmentVariables, m.SecretsWO, &resp.Diagnostics)
}
