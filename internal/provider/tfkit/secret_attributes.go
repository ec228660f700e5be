package tfkit

import (
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// The names of the write-only attributes for secrets.
const (
	WriteOnlySecrets        = "secret_environment_variables_wo"
	WriteOnlySecretsVersion = "secret_environment_variables_wo_version"
)

// SecretsAttribute is the attribute secret_environment_variables.
func SecretsAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType,
		Optional:    true,
		Computed:    true,
		Sensitive:   true,
		MarkdownDescription: "The secret environment variables of the " + noun + ". The state stores their Argon2id hashes, but a saved plan contains their values. " +
			"Use `" + WriteOnlySecrets + "` to keep secrets out of both.",
		Validators:    variableNames(),
		PlanModifiers: []planmodifier.Map{spelling.Secrets()},
	}
}

// WriteOnlySecretsAttribute is the attribute secret_environment_variables_wo.
//
// It is not sensitive. Write-only values are never shown, and Terraform 1.11 plans an
// update, without a refresh, for every state in which an attribute that is sensitive
// in the schema is not marked. That would be every state of the official provider.
func WriteOnlySecretsAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType,
		Optional:    true,
		WriteOnly:   true,
		MarkdownDescription: "Secret environment variables of the " + noun + " that are stored in neither the plan nor the state. " +
			"They are added to `secret_environment_variables`; a key may be in only one of the two maps. " +
			"The provider sends the map when it creates the " + noun + ", and each time `" + WriteOnlySecretsVersion + "` changes. " +
			"A change of the version also deletes the keys that were removed from the map. Requires Terraform 1.11 or OpenTofu 1.11.",
		Validators: append(variableNames(), mapvalidator.AlsoRequires(path.MatchRoot(WriteOnlySecretsVersion))),
	}
}

// WriteOnlySecretsVersionAttribute is the attribute
// secret_environment_variables_wo_version.
func WriteOnlySecretsVersionAttribute() schema.Attribute {
	return schema.Int64Attribute{
		Optional: true,
		MarkdownDescription: "The version of `" + WriteOnlySecrets + "`, an arbitrary number. " +
			"Terraform cannot detect changes of a write-only argument: change the version to send the map again.",
		Validators: []validator.Int64{int64validator.AlsoRequires(path.MatchRoot(WriteOnlySecrets))},
	}
}

// CheckSecrets adds an error if a key is in both maps. Unknown maps are not checked.
func CheckSecrets(plain, writeOnly types.Map, diags *diag.Diagnostics) {
	var duplicates []string
	for key := range writeOnly.Elements() {
		if _, ok := plain.Elements()[key]; ok {
			duplicates = append(duplicates, Quote(key))
		}
	}
	if len(duplicates) > 0 {
		slices.Sort(duplicates)
		diags.AddAttributeError(path.Root(WriteOnlySecrets), "Duplicate secret",
			"secret_environment_variables and "+WriteOnlySecrets+" both contain "+strings.Join(duplicates, ", ")+": remove each key from one of them.")
	}
}
