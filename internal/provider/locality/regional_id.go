package locality

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// regionalIDFunction is the provider function regional_id.
type regionalIDFunction struct{}

// NewRegionalID returns the provider function regional_id.
func NewRegionalID() function.Function {
	return regionalIDFunction{}
}

// Metadata implements function.Function.
func (regionalIDFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "regional_id"
}

// Definition implements function.Function.
func (regionalIDFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary: "Build a regional ID",
		MarkdownDescription: "Returns an ID in the form `region/uuid`, which resources have as `id` and `terraform import` needs. " +
			"An ID that already has this form is returned unchanged; it must have the same region.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "region", MarkdownDescription: "The region, for example `fr-par`."},
			function.StringParameter{Name: "id", MarkdownDescription: "A UUID, or an ID in the form `region/uuid`."},
		},
		Return: function.StringReturn{},
	}
}

// Run implements function.Function.
func (regionalIDFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var region, text string
	resp.Error = req.Arguments.Get(ctx, &region, &text)
	if resp.Error != nil {
		return
	}
	if !regional.WellFormed(region) {
		resp.Error = function.NewArgumentFuncError(0, tfkit.Quote(region)+" is not a valid region: write fr-par, nl-ams or pl-waw")
		return
	}
	id, err := regional.ParseReference(text, scw.Region(region))
	if err != nil {
		resp.Error = function.NewArgumentFuncError(1, err.Error())
		return
	}
	if id.Region.String() != region {
		resp.Error = function.NewArgumentFuncError(1, tfkit.Quote(text)+" is not in region "+tfkit.Quote(region)+": pass the same region, or the UUID without a region")
		return
	}
	resp.Error = resp.Result.Set(ctx, id.String())
}

// regionalIDParts is the result of parse_regional_id.
type regionalIDParts struct {
	Region types.String `tfsdk:"region"`
	ID     types.String `tfsdk:"id"`
}

// parseRegionalIDFunction is the provider function parse_regional_id.
type parseRegionalIDFunction struct{}

// NewParseRegionalID returns the provider function parse_regional_id.
func NewParseRegionalID() function.Function {
	return parseRegionalIDFunction{}
}

// Metadata implements function.Function.
func (parseRegionalIDFunction) Metadata(_ context.Context, _ function.MetadataRequest, resp *function.MetadataResponse) {
	resp.Name = "parse_regional_id"
}

// Definition implements function.Function.
func (parseRegionalIDFunction) Definition(_ context.Context, _ function.DefinitionRequest, resp *function.DefinitionResponse) {
	resp.Definition = function.Definition{
		Summary:             "Parse a regional ID",
		MarkdownDescription: "Parses an ID in the form `region/uuid`. Returns an object with the strings `region` and `id`, the UUID.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "id", MarkdownDescription: "An ID in the form `region/uuid`."},
		},
		Return: function.ObjectReturn{AttributeTypes: map[string]attr.Type{"region": types.StringType, "id": types.StringType}},
	}
}

// Run implements function.Function.
func (parseRegionalIDFunction) Run(ctx context.Context, req function.RunRequest, resp *function.RunResponse) {
	var text string
	resp.Error = req.Arguments.Get(ctx, &text)
	if resp.Error != nil {
		return
	}
	id, err := regional.Parse(text)
	if err != nil {
		resp.Error = function.NewArgumentFuncError(0, err.Error())
		return
	}
	resp.Error = resp.Result.Set(ctx, regionalIDParts{Region: types.StringValue(id.Region.String()), ID: types.StringValue(id.UUID)})
}
