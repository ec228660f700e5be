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

// regionalIDFunction is the function regional_id.
type regionalIDFunction struct{}

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
		Summary: "The id of an object, with its region",
		MarkdownDescription: "Returns `region/uuid`, the form that resources have as `id` and that `terraform import` wants. " +
			"An id that is of this form already is returned as it is, if it is in the same region.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "region", MarkdownDescription: "The region, for example `fr-par`."},
			function.StringParameter{Name: "id", MarkdownDescription: "The uuid, or `region/uuid`."},
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
		resp.Error = function.NewArgumentFuncError(0, tfkit.Quote(region)+" is no region: write fr-par, nl-ams or pl-waw")
		return
	}
	id, err := regional.ParseReference(text, scw.Region(region))
	if err != nil {
		resp.Error = function.NewArgumentFuncError(1, err.Error())
		return
	}
	if id.Region.String() != region {
		resp.Error = function.NewArgumentFuncError(1, tfkit.Quote(text)+" is in another region than "+tfkit.Quote(region)+": name the same one, or leave it out of the id")
		return
	}
	resp.Error = resp.Result.Set(ctx, id.String())
}

// regionalIDParts is the result of parse_regional_id.
type regionalIDParts struct {
	Region types.String `tfsdk:"region"`
	ID     types.String `tfsdk:"id"`
}

// parseRegionalIDFunction is the function parse_regional_id.
type parseRegionalIDFunction struct{}

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
		Summary:             "The region and the uuid of an id",
		MarkdownDescription: "Takes an id of the form `region/uuid` apart and returns an object of `region` and `id`, which is the uuid.",
		Parameters: []function.Parameter{
			function.StringParameter{Name: "id", MarkdownDescription: "An id of the form `region/uuid`."},
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
