package provider

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	tffunction "github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/cron"
	"github.com/jeton-dev/jeton/internal/provider/domain"
	"github.com/jeton-dev/jeton/internal/provider/function"
	"github.com/jeton-dev/jeton/internal/provider/locality"
	"github.com/jeton-dev/jeton/internal/provider/namespace"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
	"github.com/jeton-dev/jeton/internal/provider/token"
	"github.com/jeton-dev/jeton/internal/provider/trigger"
)

// Options are what the provider takes from its surroundings.
type Options struct {
	// Version is reported to Terraform and, in the User-Agent, to the API.
	Version string
	// Now tells the time; nil stands for the system's clock. Expired tokens are
	// found with it.
	Now func() time.Time
	// Pick returns a number in [0, n); nil stands for a random one. Names are
	// generated with it.
	Pick func(n int) int
	// Identities makes resources write resource identities into states, and lets
	// them be imported by identity. The official provider cannot read such a state
	// with Terraform 1.12.0 to 1.13.5.
	Identities bool
}

// IdentityVariable is the environment variable that sets Options.Identities.
const IdentityVariable = "JETON_RESOURCE_IDENTITY"

// OptionsFrom returns the options of the program: its version, and what the
// environment sets. An error names the variable.
func OptionsFrom(version string, getenv func(string) string) (Options, error) {
	options := Options{Version: version}
	text := getenv(IdentityVariable)
	if text == "" {
		return options, nil
	}
	var err error
	if options.Identities, err = strconv.ParseBool(text); err != nil {
		return Options{}, fmt.Errorf("read %s: %q is not a boolean: set it to true or false", IdentityVariable, text)
	}
	return options, nil
}

// New returns a constructor of providers, as provider servers want it.
func New(options Options) func() provider.Provider {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Pick == nil {
		options.Pick = rand.IntN
	}
	return func() provider.Provider {
		return &scalewayProvider{options: options}
	}
}

var (
	_ provider.ProviderWithEphemeralResources = (*scalewayProvider)(nil)
	_ provider.ProviderWithFunctions          = (*scalewayProvider)(nil)
)

type scalewayProvider struct {
	options Options
}

// providerModel is the provider block.
type providerModel struct {
	Profile        types.String `tfsdk:"profile"`
	AccessKey      types.String `tfsdk:"access_key"`
	SecretKey      types.String `tfsdk:"secret_key"`
	ProjectID      types.String `tfsdk:"project_id"`
	OrganizationID types.String `tfsdk:"organization_id"`
	Region         types.String `tfsdk:"region"`
	Zone           types.String `tfsdk:"zone"`
	APIURL         types.String `tfsdk:"api_url"`
}

// Metadata implements provider.Provider.
func (p *scalewayProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "scaleway"
	resp.Version = p.options.Version
}

// Schema implements provider.Provider. The attributes are the official
// provider's, so that a provider block can stay as it is.
func (p *scalewayProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages Serverless Functions and the tokens that open private functions, on Scaleway or on a Jeton server. " +
			"Each setting comes from, in this order: the environment, the provider block, the active profile of the configuration file.",
		Attributes: map[string]schema.Attribute{
			"profile":         optional("The profile of the configuration file that stands for what the block leaves out."),
			"access_key":      optional("The access key. Also `SCW_ACCESS_KEY`."),
			"secret_key":      schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "The secret key. Also `SCW_SECRET_KEY`."},
			"project_id":      optional("The project of what is created, unless a resource says otherwise. Also `SCW_DEFAULT_PROJECT_ID`."),
			"organization_id": optional("The organization. Also `SCW_DEFAULT_ORGANIZATION_ID`."),
			"region":          optional("The region of what is created, unless a resource says otherwise. Also `SCW_DEFAULT_REGION`; `fr-par` by default."),
			"zone":            optional("The zone. No resource of this provider lives in a zone. Also `SCW_DEFAULT_ZONE`."),
			"api_url":         optional("The address of the API. Also `SCW_API_URL`; `" + client.DefaultAPIURL + "` by default."),
		},
	}
}

func optional(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: description}
}

// Configure implements provider.Provider. It calls nothing.
func (p *scalewayProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var block providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &block)...)
	rejectUnknown(block, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	profile, err := client.LoadProfile(block.settings())
	if err != nil {
		resp.Diagnostics.AddError("The provider is not configured", tfkit.Sentence(err))
		return
	}
	userAgent := "terraform-provider-scaleway/" + p.options.Version + " (jeton-dev) terraform/" + req.TerraformVersion
	connection, err := client.New(profile, userAgent)
	if err != nil {
		resp.Diagnostics.AddError("The provider is not configured", tfkit.Sentence(err))
		return
	}
	configured := &tfkit.Backend{Client: connection, Now: p.options.Now, Pick: p.options.Pick}
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = configured, configured, configured
}

// rejectUnknown refuses settings that come from resources not made yet: a plan
// made with other keys than the apply would be worth nothing.
func rejectUnknown(block providerModel, resp *provider.ConfigureResponse) {
	for name, value := range block.attributes() {
		if value.IsUnknown() {
			resp.Diagnostics.AddAttributeError(path.Root(name), "The provider setting is not known yet",
				"The value of "+name+" depends on something that is made only during the apply. "+
					"Make that first, with terraform apply -target, or write the value down.")
		}
	}
}

func (m providerModel) attributes() map[string]types.String {
	return map[string]types.String{
		"profile": m.Profile, "access_key": m.AccessKey, "secret_key": m.SecretKey, "project_id": m.ProjectID,
		"organization_id": m.OrganizationID, "region": m.Region, "zone": m.Zone, "api_url": m.APIURL,
	}
}

func (m providerModel) settings() client.Settings {
	return client.Settings{
		Profile:        m.Profile.ValueStringPointer(),
		AccessKey:      m.AccessKey.ValueStringPointer(),
		SecretKey:      m.SecretKey.ValueStringPointer(),
		ProjectID:      m.ProjectID.ValueStringPointer(),
		OrganizationID: m.OrganizationID.ValueStringPointer(),
		Region:         m.Region.ValueStringPointer(),
		Zone:           m.Zone.ValueStringPointer(),
		APIURL:         m.APIURL.ValueStringPointer(),
	}
}

// Resources implements provider.Provider.
func (p *scalewayProvider) Resources(context.Context) []func() resource.Resource {
	constructors := []func() tfkit.Resource{
		namespace.NewResource,
		function.NewResource,
		token.NewResource,
		cron.NewResource,
		domain.NewResource,
		trigger.NewResource,
	}
	made := make([]func() resource.Resource, 0, len(constructors))
	for _, construct := range constructors {
		made = append(made, func() resource.Resource {
			if p.options.Identities {
				return tfkit.WithIdentity(construct())
			}
			return construct()
		})
	}
	return made
}

// DataSources implements provider.Provider.
func (p *scalewayProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{
		namespace.NewDataSource,
		function.NewDataSource,
		token.NewDataSource,
		token.NewListDataSource,
		function.NewRuntimesDataSource,
		cron.NewDataSource,
	}
}

// Functions implements provider.ProviderWithFunctions.
func (p *scalewayProvider) Functions(context.Context) []func() tffunction.Function {
	return []func() tffunction.Function{
		locality.NewRegionalID,
		locality.NewParseRegionalID,
		token.NewClaimsFunction,
		locality.NewRegionFromID,
		locality.NewZoneFromID,
		locality.NewIDFromRegionalID,
		locality.NewIDFromZonalID,
	}
}

// EphemeralResources implements provider.ProviderWithEphemeralResources.
func (p *scalewayProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{
		token.NewEphemeral,
	}
}
