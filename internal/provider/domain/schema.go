package domain

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// model is a domain in configuration, plan and state.
type model struct {
	ID         types.String `tfsdk:"id"`
	FunctionID types.String `tfsdk:"function_id"`
	Hostname   types.String `tfsdk:"hostname"`
	URL        types.String `tfsdk:"url"`
	Region     types.String `tfsdk:"region"`
	Timeouts   types.Object `tfsdk:"timeouts"`
}

// fill takes over what the service says, in the model's own spelling where that
// says the same.
func (m *model) fill(id regional.ID, d *sdk.Domain) {
	m.ID = types.StringValue(id.String())
	m.FunctionID = spelling.Keep(m.FunctionID, tfkit.RegionalReference(id, &d.FunctionID), spelling.Reference)
	m.Hostname = spelling.Keep(m.Hostname, types.StringValue(d.Hostname), spelling.Hostname)
	m.URL = types.StringValue(d.URL)
	m.Region = types.StringValue(id.Region.String())
}

// timeout is the timeout of each operation, as in the official provider.
const timeout = 15 * time.Minute

// Schema implements resource.Resource.
func (*domainResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = resourceSchema()
}

func resourceSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "A hostname of your own for a function. It must be a CNAME of the function's `domain_name`. " +
			"To change any argument makes another domain.",
		Attributes: map[string]schema.Attribute{
			"id": tfkit.IDAttribute("domain"),
			"function_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The function that answers.",
				Validators:          []validator.String{tfkit.Reference()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Reference), tfkit.ReplaceUnless(spelling.Reference)},
			},
			"hostname": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The hostname, as in `api.example.com`.",
				Validators:          []validator.String{hostname()},
				PlanModifiers:       []planmodifier.String{spelling.String(spelling.Hostname), tfkit.ReplaceUnless(spelling.Hostname)},
			},
			"url":    tfkit.StableAttribute("Where the function answers under the hostname."),
			"region": tfkit.RegionAttribute(),
		},
		Blocks: map[string]schema.Block{"timeouts": tfkit.TimeoutsBlock(timeout)},
	}
}

// hostname wants a host name.
func hostname() validator.String {
	return tfkit.StringRule("a host name such as api.example.com", "Invalid hostname", func(text string) string {
		if _, ok := grammar.Hostname(text); !ok {
			return tfkit.Quote(text) + " is no host name: write one such as api.example.com, without a scheme, a path, a port or a wildcard."
		}
		return ""
	})
}
