package tfkit

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// Attributes that several resources have. Where the official provider has an
// attribute that is only optional, ours is computed as well, so that the "" that
// stands in its states for what is not configured can stay there.

func IDAttribute(noun string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "The id of the " + noun + ", of the form `region/uuid`.",
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// StableAttribute is decided by the service, once.
func StableAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// ReplacingAttribute is configured or decided by the service, once; to configure
// another value makes another object.
func ReplacingAttribute(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: description,
		Validators:          validators,
		PlanModifiers: []planmodifier.String{
			stringplanmodifier.UseStateForUnknown(),
			stringplanmodifier.RequiresReplaceIfConfigured(),
		},
	}
}

func DescriptionAttribute(noun string) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "A description of the " + noun + ".",
		PlanModifiers:       []planmodifier.String{spelling.String(spelling.Text)},
	}
}

func TagsAttribute(noun string) schema.Attribute {
	return schema.ListAttribute{
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "The tags of the " + noun + ".",
		Validators:          []validator.List{listvalidator.NoNullValues()},
		PlanModifiers:       []planmodifier.List{spelling.List()},
	}
}

func EnvironmentAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType:         types.StringType,
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "The environment variables of the " + noun + ".",
		Validators:          variableNames(),
		PlanModifiers:       []planmodifier.Map{spelling.Map()},
	}
}

func SecretsAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType,
		Optional:    true,
		Computed:    true,
		Sensitive:   true,
		MarkdownDescription: "The secret environment variables of the " + noun + ". The state holds their argon2id hashes, and a saved plan holds them in clear: " +
			"`" + WriteOnlySecrets + "` is in neither.",
		Validators:    variableNames(),
		PlanModifiers: []planmodifier.Map{spelling.Secrets()},
	}
}

// ReplaceUnless replaces the object if the planned value says something else
// than the prior one.
func ReplaceUnless(same spelling.Same) planmodifier.String {
	const description = "Another value makes another object."
	return stringplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Equal(req.StateValue, req.PlanValue, same)
		}, description, description)
}
