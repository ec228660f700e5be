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

// Options are the settings of the program around the provider.
type Options struct {
	// Version is reported to Terraform and, in the User-Agent, to the API.
	Version string
	// Now returns the current time, to find expired tokens; nil means time.Now.
	Now func() time.Time
	// Pick returns a number in [0, n), for generated names; nil means rand.IntN.
	Pick func(n int) int
	// Identities enables resource identities in states and in imports. The official
	// provider cannot read a state with identities in Terraform 1.12.0 to 1.13.5.
	Identities bool
	// Attachment is the server of `jeton tf`; nil means that provider blocks select the
	// server.
	Attachment *Attachment
}

// IdentityVariable is the environment variable that sets Options.Identities.
const IdentityVariable = "JETON_RESOURCE_IDENTITY"

// OptionsFrom returns options from a version and from environment variables. It returns an
// error if a variable is invalid.
func OptionsFrom(version string, getenv func(string) string) (Options, error) {
	attachment, err := AttachmentFrom(getenv)
	if err != nil {
		return Options{}, err
	}
	options := Options{Version: version, Attachment: attachment}
	text := getenv(IdentityVariable)
	if text == "" {
		return options, nil
	}
	if options.Identities, err = strconv.ParseBool(text); err != nil {
		return Options{}, fmt.Errorf("read %s: %q is not a boolean: set it to true or false", IdentityVariable, text)
	}
	return options, nil
}

// New returns a constructor of the provider.
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

// providerModel is a provider block.
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

// Schema implements provider.Provider. It has the arguments of the official provider, so
// existing provider blocks are valid.
func (p *scalewayProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Manages Scaleway Serverless Functions and the tokens for private functions, at Scaleway or on a Jeton server.\n\n" +
			"The provider reads each setting from the first of these that sets it: the environment variable, the provider block, " +
			"the profile in Scaleway's configuration file.",
		Attributes: map[string]schema.Attribute{
			"profile":         optional("The profile of the configuration file. Defaults to its active profile."),
			"access_key":      optional("The access key of the API key. Environment variable: `SCW_ACCESS_KEY`."),
			"secret_key":      schema.StringAttribute{Optional: true, Sensitive: true, MarkdownDescription: "The secret key of the API key. Environment variable: `SCW_SECRET_KEY`."},
			"project_id":      optional("The UUID of the project for resources without a `project_id`. Environment variable: `SCW_DEFAULT_PROJECT_ID`."),
			"organization_id": optional("The UUID of the organization. Environment variable: `SCW_DEFAULT_ORGANIZATION_ID`."),
			"region":          optional("The region for resources without a `region`. Environment variable: `SCW_DEFAULT_REGION`. Defaults to `fr-par`."),
			"zone":            optional("The zone. It has no effect: no resource of this provider is zonal. Environment variable: `SCW_DEFAULT_ZONE`."),
			"api_url":         optional("The URL of the API: that of a Jeton server, or Scaleway's. Environment variable: `SCW_API_URL`. Defaults to `" + client.DefaultAPIURL + "`."),
		},
	}
}

// optional returns an optional string argument.
func optional(description string) schema.StringAttribute {
	return schema.StringAttribute{Optional: true, MarkdownDescription: description}
}

// Configure implements provider.Provider. It makes no API call unless the provider is attached
// to a server: then that server must have the key and the project of the provider block.
func (p *scalewayProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var block providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &block)...)
	rejectUnknown(block, resp)
	if resp.Diagnostics.HasError() {
		return
	}
	profile, err := p.options.load(block.settings())
	if err != nil {
		resp.Diagnostics.AddError("Invalid provider configuration", tfkit.Sentence(err))
		return
	}
	userAgent := "terraform-provider-scaleway/" + p.options.Version + " (jeton-dev) terraform/" + req.TerraformVersion
	connection, err := client.New(profile, userAgent)
	if err != nil {
		resp.Diagnostics.AddError("Invalid provider configuration", tfkit.Sentence(err))
		return
	}
	if p.options.Attachment != nil {
		if err := connection.Confirm(ctx); err != nil {
			resp.Diagnostics.AddError("Provider block of another server", tfkit.Sentence(err))
			return
		}
	}
	configured := &tfkit.Backend{Client: connection, Now: p.options.Now, Pick: p.options.Pick}
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = configured, configured, configured
}

// rejectUnknown adds errors for settings with unknown values. A plan without them could
// call another API, or another project, than the apply.
func rejectUnknown(block providerModel, resp *provider.ConfigureResponse) {
	for name, value := range block.attributes() {
		if value.IsUnknown() {
			resp.Diagnostics.AddAttributeError(path.Root(name), "Unknown provider setting",
				"The value of "+name+" depends on a resource that does not exist yet. "+
					"Create that resource first with terraform apply -target, or set a constant value.")
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
	created := make([]func() resource.Resource, 0, len(constructors))
	for _, construct := range constructors {
		created = append(created, func() resource.Resource {
			if p.options.Identities {
				return tfkit.WithIdentity(construct())
			}
			return construct()
		})
	}
	return created
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
