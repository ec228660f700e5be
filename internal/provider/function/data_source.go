package function

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// functionData is the data source scaleway_function.
type functionData struct{ tfkit.BaseDataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*functionData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*functionData)(nil)
)

// NewDataSource returns the data source scaleway_function.
func NewDataSource() datasource.DataSource {
	return &functionData{tfkit.BaseDataSource{TypeName: "scaleway_function"}}
}

// dataModel is the configuration and the result.
type dataModel struct {
	fields
	FunctionID types.String `tfsdk:"function_id"`
}

// Schema implements datasource.DataSource. zip_file, zip_hash and deploy exist because the
// official provider has them; they are always null there too.
func (*functionData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An existing function, looked up by its ID, or by its name and namespace.",
		Attributes: map[string]schema.Attribute{
			"function_id":                  tfkit.DataReference("The ID of the function, in the form `region/uuid`, or its UUID. Set either `function_id`, or `namespace_id` and `name`."),
			"namespace_id":                 tfkit.DataReference("The ID of the namespace of the function, in the form `region/uuid`, or its UUID."),
			"name":                         tfkit.DataArgument("The name of the function. Ignored if `function_id` is set."),
			"region":                       tfkit.DataRegion("The region of the function. Defaults to the region in `function_id` or `namespace_id`, or else to the provider's region."),
			"project_id":                   tfkit.DataArgument("The UUID of the project, which must be the project of the function.", tfkit.UUID()),
			"id":                           tfkit.DataString("The ID of the function, in the form `region/uuid`."),
			"organization_id":              tfkit.DataString("The UUID of the organization that owns the project."),
			"description":                  tfkit.DataString("The description of the function."),
			"tags":                         tfkit.DataStrings("The tags of the function."),
			"environment_variables":        tfkit.DataMap("The environment variables of the function."),
			"secret_environment_variables": tfkit.DataHashes("function"),
			"runtime":                      tfkit.DataString("The runtime, for example `go126`."),
			"handler":                      tfkit.DataString("The handler that the runtime calls."),
			"privacy":                      tfkit.DataString("Who may call the function: `public` (everyone) or `private` (callers with a token)."),
			"http_option":                  tfkit.DataString("How HTTP requests are handled: `enabled` serves them, `redirected` redirects them to HTTPS."),
			"sandbox":                      tfkit.DataString("The execution environment of the instances: `v1` or `v2`."),
			"min_scale":                    tfkit.DataNumber("The minimum number of instances."),
			"max_scale":                    tfkit.DataNumber("The maximum number of instances."),
			"memory_limit":                 tfkit.DataNumber("The memory of an instance in MB."),
			"cpu_limit":                    tfkit.DataNumber("The CPU limit of an instance in mCPU (thousandths of a CPU)."),
			"timeout":                      tfkit.DataNumber("The maximum duration of a call in seconds."),
			"private_network_id":           tfkit.DataString("The ID of the private network that the instances are attached to. Empty without one."),
			"domain_name":                  tfkit.DataString("The hostname of the function."),
			"url":                          tfkit.DataString("The URL of the function: `https://` and its `domain_name` at Scaleway; on a Jeton server, the address at the gateway that works from everywhere, such as `http://127.0.0.1:8081/functions/ID`."),
			"zip_file":                     tfkit.DataString("Always null: the API does not return it."),
			"zip_hash":                     tfkit.DataString("Always null: the API does not return it."),
			"deploy":                       schema.BoolAttribute{Computed: true, MarkdownDescription: "Always null: the API does not return it."},
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*functionData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !resp.Diagnostics.HasError() && spelling.Unset(m.FunctionID) && (spelling.Unset(m.NamespaceID) || spelling.Unset(m.Name)) {
		resp.Diagnostics.AddError("Missing function_id, or namespace_id and name", "A function is looked up by its ID, or by its namespace and name: set function_id, or set namespace_id and name.")
	}
}

// Read implements datasource.DataSource.
func (d *functionData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	config := m
	region := d.Backend.RegionOf(m.Region, m.FunctionID, m.NamespaceID)
	f := d.find(ctx, region, &m, &resp.Diagnostics)
	if f == nil {
		return
	}
	id := regional.ID{Region: region, UUID: f.ID}
	n, err := d.Backend.API().GetNamespace(&sdk.GetNamespaceRequest{Region: region, NamespaceID: f.NamespaceID}, client.Context(ctx))
	if err != nil {
		d.Backend.AddError(&resp.Diagnostics, "Cannot read the namespace of the function", err)
		return
	}
	m.set(id, f, n, functionURL(ctx, d.Backend.Client, f, &resp.Diagnostics))
	m.FunctionID = spelling.Keep(m.FunctionID, m.ID, spelling.Reference)
	config.checkFound(&m, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the configured function once no build or deployment of it is pending. It
// returns nil after it has added an error.
func (d *functionData) find(ctx context.Context, region scw.Region, m *dataModel, diags *diag.Diagnostics) *sdk.Function {
	id := regional.ID{Region: region, UUID: tfkit.CheckReference(diags, "function_id", m.FunctionID, region)}
	namespaceID := tfkit.CheckReference(diags, "namespace_id", m.NamespaceID, region)
	if diags.HasError() {
		return nil
	}
	var known *sdk.Function
	if id.UUID == "" {
		if known = d.findNamed(ctx, regional.ID{Region: region, UUID: namespaceID}, m.Name.ValueString(), diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	f, err := d.Backend.SettledFunction(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("function_id"), "No such function",
			"Function "+id.String()+" does not exist: it was deleted, or is in another region or project.")
		return nil
	}
	if err != nil {
		d.Backend.AddError(diags, "Cannot read the function", err)
		return nil
	}
	return f
}

// findNamed returns the function of a namespace with the name. It returns nil after it has
// added an error.
func (d *functionData) findNamed(ctx context.Context, namespace regional.ID, name string, diags *diag.Diagnostics) *sdk.Function {
	list, err := d.Backend.API().ListFunctions(&sdk.ListFunctionsRequest{
		Region: namespace.Region, NamespaceID: namespace.UUID, Name: &name,
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.Backend.AddError(diags, "Cannot list the functions of the namespace", err)
		return nil
	}
	return tfkit.Lookup[sdk.Function]{
		Noun: "function", Place: "namespace " + namespace.String(), Name: name,
		NameOf:    func(f *sdk.Function) string { return f.Name },
		Ambiguous: "set function_id",
	}.In(list.Functions, diags)
}

// set sets all attributes from the API's answer, with "" and empty collections for what
// is not set, as the official provider's data source does.
func (m *dataModel) set(id regional.ID, f *sdk.Function, n *sdk.Namespace, url types.String) {
	m.URL = url
	m.fill(id, f, url)
	m.setProject(n)
	m.SecretEnvironmentVariables = tfkit.SecretHashes(f.SecretEnvironmentVariables)
	m.setEmpty()
}

// checkFound adds errors if the function that was found by its ID has another namespace or
// project than configured. It ignores a configured name, as the official provider does.
func (m *dataModel) checkFound(found *dataModel, diags *diag.Diagnostics) {
	for _, argument := range []struct {
		name              string
		configured, found types.String
		same              spelling.Same
	}{
		{"namespace_id", m.NamespaceID, found.NamespaceID, spelling.Reference},
		{"project_id", m.ProjectID, found.ProjectID, spelling.Text},
	} {
		if tfkit.IsSet(argument.configured) && !spelling.Equal(argument.configured, argument.found, argument.same) {
			diags.AddAttributeError(path.Root(argument.name), "The function has another "+argument.name,
				"Function "+found.ID.ValueString()+" has "+argument.name+" "+tfkit.Quote(argument.found.ValueString())+", not "+tfkit.Quote(argument.configured.ValueString())+
					": remove "+argument.name+", or correct it.")
		}
	}
}
