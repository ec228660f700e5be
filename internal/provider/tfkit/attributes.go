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

// These attributes are shared by several resources. Attributes that are only optional
// in the official provider are also computed here: its states contain "" for what is
// not configured, and a computed attribute can keep that value.

// IDAttribute is the attribute id.
func IDAttribute(noun string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "The ID of the " + noun + ", in the form `region/uuid`.",
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// StableAttribute is a computed string that does not change after creation.
func StableAttribute(description string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// ReplacingAttribute is an optional, computed string. Configuring another value
// replaces the object.
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

// ReplaceUnless replaces the object if the planned and the prior value differ by same.
func ReplaceUnless(same spelling.Same) planmodifier.String {
	const description = "Changing this replaces the object."
	return stringplanmodifier.RequiresReplaceIf(
		func(_ context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
			resp.RequiresReplace = !spelling.Equal(req.StateValue, req.PlanValue, same)
		}, description, description)
}

// DescriptionAttribute is the attribute description.
func DescriptionAttribute(noun string) schema.Attribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		MarkdownDescription: "The description of the " + noun + ".",
		PlanModifiers:       []planmodifier.String{spelling.String(spelling.Text)},
	}
}

// TagsAttribute is the attribute tags.
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

// EnvironmentAttribute is the attribute environment_variables.
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
