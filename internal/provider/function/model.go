package function

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// model is the function resource in a configuration, plan or state.
type model struct {
	fields
	SecretsWO        types.Map    `tfsdk:"secret_environment_variables_wo"`
	SecretsWOVersion types.Int64  `tfsdk:"secret_environment_variables_wo_version"`
	ZipDigest        types.String `tfsdk:"zip_digest"`
	Status           types.String `tfsdk:"status"`
	Timeouts         types.Object `tfsdk:"timeouts"`
}

// fields are the attributes that the resource and the data source share.
type fields struct {
	ID                         types.String `tfsdk:"id"`
	NamespaceID                types.String `tfsdk:"namespace_id"`
	Name                       types.String `tfsdk:"name"`
	Description                types.String `tfsdk:"description"`
	Tags                       types.List   `tfsdk:"tags"`
	EnvironmentVariables       types.Map    `tfsdk:"environment_variables"`
	SecretEnvironmentVariables types.Map    `tfsdk:"secret_environment_variables"`
	Runtime                    types.String `tfsdk:"runtime"`
	Handler                    types.String `tfsdk:"handler"`
	ZipFile                    types.String `tfsdk:"zip_file"`
	ZipHash                    types.String `tfsdk:"zip_hash"`
	Deploy                     types.Bool   `tfsdk:"deploy"`
	Privacy                    types.String `tfsdk:"privacy"`
	HTTPOption                 types.String `tfsdk:"http_option"`
	Sandbox                    types.String `tfsdk:"sandbox"`
	MinScale                   types.Int64  `tfsdk:"min_scale"`
	MaxScale                   types.Int64  `tfsdk:"max_scale"`
	MemoryLimit                types.Int64  `tfsdk:"memory_limit"`
	CPULimit                   types.Int64  `tfsdk:"cpu_limit"`
	Timeout                    types.Int64  `tfsdk:"timeout"`
	PrivateNetworkID           types.String `tfsdk:"private_network_id"`
	DomainName                 types.String `tfsdk:"domain_name"`
	URL                        types.String `tfsdk:"url"`
	Region                     types.String `tfsdk:"region"`
	ProjectID                  types.String `tfsdk:"project_id"`
	OrganizationID             types.String `tfsdk:"organization_id"`
}

// fill sets the attributes from the API's answer. It keeps the model's spelling of equal
// values. It does not set the secrets, nor the archive and the project, which the answer
// does not contain. It sets the URL only if it is unknown: the plan keeps the null URL in a state of
// the official provider, and Read sets it.
func (m *fields) fill(id regional.ID, f *sdk.Function, url types.String) {
	m.ID = types.StringValue(id.String())
	m.NamespaceID = spelling.Keep(m.NamespaceID, tfkit.RegionalReference(id, &f.NamespaceID), spelling.Reference)
	m.Name = types.StringValue(f.Name)
	m.Description = spelling.Keep(m.Description, types.StringPointerValue(f.Description), spelling.Text)
	m.Tags = spelling.KeepList(m.Tags, tfkit.ListValue(f.Tags))
	m.EnvironmentVariables = spelling.KeepMap(m.EnvironmentVariables, tfkit.MapValue(f.EnvironmentVariables))
	m.Runtime = types.StringValue(f.Runtime.String())
	m.Handler = types.StringValue(f.Handler)
	m.Privacy = types.StringValue(f.Privacy.String())
	m.HTTPOption = types.StringValue(f.HTTPOption.String())
	m.Sandbox = types.StringValue(f.Sandbox.String())
	m.MinScale = types.Int64Value(int64(f.MinScale))
	m.MaxScale = types.Int64Value(int64(f.MaxScale))
	m.MemoryLimit = types.Int64Value(int64(f.MemoryLimit))
	m.CPULimit = types.Int64Value(int64(f.CPULimit))
	m.Timeout = seconds(f.Timeout)
	m.PrivateNetworkID = spelling.Keep(m.PrivateNetworkID, tfkit.RegionalReference(id, f.PrivateNetworkID), spelling.Reference)
	m.DomainName = types.StringValue(f.DomainName)
	if m.URL.IsUnknown() {
		m.URL = url
	}
	m.Region = types.StringValue(id.Region.String())
}

// setEmpty replaces null by "", [] and {}, as the official provider does.
func (m *fields) setEmpty() {
	m.Description = spelling.OrEmpty(m.Description)
	m.Tags = spelling.OrEmptyList(m.Tags)
	m.EnvironmentVariables = spelling.OrEmptyMap(m.EnvironmentVariables)
	m.SecretEnvironmentVariables = spelling.OrEmptyMap(m.SecretEnvironmentVariables)
	m.PrivateNetworkID = spelling.OrEmpty(m.PrivateNetworkID)
}

// functionURL returns the URL of a function, null without a domain name or after it has added
// an error.
func functionURL(ctx context.Context, c *client.Client, f *sdk.Function, diags *diag.Diagnostics) types.String {
	if f.DomainName == "" {
		return types.StringNull()
	}
	url, err := c.FunctionURL(ctx, f)
	if err != nil {
		diags.AddError("Cannot read the addresses of the server", tfkit.Sentence(err))
		return types.StringNull()
	}
	return types.StringValue(url)
}

// seconds returns a duration in seconds, null for nil.
func seconds(d *scw.Duration) types.Int64 {
	whole := d.ToTimeDuration()
	if whole == nil {
		return types.Int64Null()
	}
	return types.Int64Value(int64(*whole / time.Second))
}

// setProject sets the project and the organization from the function's namespace.
func (m *fields) setProject(n *sdk.Namespace) {
	m.ProjectID = types.StringValue(n.ProjectID)
	m.OrganizationID = types.StringValue(n.OrganizationID)
}

// createRequest returns the request that creates the planned function.
func (m *model) createRequest(region scw.Region, name, namespaceID string, secrets []*sdk.Secret) *sdk.CreateFunctionRequest {
	req := &sdk.CreateFunctionRequest{
		Region:                     region,
		Name:                       name,
		NamespaceID:                namespaceID,
		MinScale:                   tfkit.OptionalNumber(m.MinScale),
		MaxScale:                   tfkit.OptionalNumber(m.MaxScale),
		Runtime:                    sdk.FunctionRuntime(m.Runtime.ValueString()),
		MemoryLimit:                tfkit.OptionalNumber(m.MemoryLimit),
		Timeout:                    apiDuration(m.Timeout),
		Handler:                    tfkit.OptionalString(m.Handler),
		Privacy:                    sdk.FunctionPrivacy(m.Privacy.ValueString()),
		Description:                tfkit.OptionalString(m.Description),
		SecretEnvironmentVariables: secrets,
		HTTPOption:                 sdk.FunctionHTTPOption(m.HTTPOption.ValueString()),
		Sandbox:                    sdk.FunctionSandbox(m.Sandbox.ValueString()),
		Tags:                       tfkit.ListStrings(m.Tags),
	}
	if variables := tfkit.MapStrings(m.EnvironmentVariables); len(variables) > 0 {
		req.EnvironmentVariables = &variables
	}
	if network := tfkit.OptionalString(m.PrivateNetworkID); network != nil {
		req.PrivateNetworkID = new(regional.Bare(*network))
	}
	return req
}

// apiDuration returns a number of seconds for the API, nil for null and unknown.
func apiDuration(v types.Int64) *scw.Duration {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return scw.NewDurationFromTimeDuration(time.Duration(v.ValueInt64()) * time.Second)
}

// secretUpdate returns the update of the configured secrets. Prior is nil for a new
// object. Stored are the names of the write-only secrets from the private state.
func (m *model) secretUpdate(prior *model, stored []string) tfkit.SecretUpdate {
	return tfkit.SecretUpdate{
		Plain:         tfkit.MapStrings(m.SecretEnvironmentVariables),
		WriteOnly:     tfkit.MapStrings(m.SecretsWO),
		SendWriteOnly: prior == nil || !m.SecretsWOVersion.Equal(prior.SecretsWOVersion),
		StoredNames:   stored,
	}
}
