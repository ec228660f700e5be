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

func NewDataSource() datasource.DataSource {
	return &functionData{tfkit.BaseDataSource{TypeName: "scaleway_function"}}
}

// dataModel is the configuration and the result.
type dataModel struct {
	fields
	FunctionID types.String `tfsdk:"function_id"`
}

// Schema implements datasource.DataSource. It has the archive and the switch for
// deployments as the official provider's has them, which never says anything of
// them.
func (*functionData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A function that exists, found by its id, or by its name in a namespace.",
		Attributes: map[string]schema.Attribute{
			"function_id":                  tfkit.DataReference("The function, of the form `region/uuid` or its uuid alone. Without it, `namespace_id` and `name` are set."),
			"namespace_id":                 tfkit.DataReference("The namespace of the function, of the form `region/uuid` or its uuid alone."),
			"name":                         tfkit.DataArgument("The name of the function. Ignored with `function_id`."),
			"region":                       tfkit.DataRegion("The region; that of `function_id` or `namespace_id` if they name one, or else the provider's."),
			"project_id":                   tfkit.DataArgument("The project. Another one than the function's is refused.", tfkit.UUID()),
			"id":                           tfkit.DataString("The id of the function, of the form `region/uuid`."),
			"organization_id":              tfkit.DataString("The organization that the project belongs to."),
			"description":                  tfkit.DataString("The description of the function."),
			"tags":                         tfkit.DataStrings("The tags of the function."),
			"environment_variables":        tfkit.DataMap("The environment variables of the function."),
			"secret_environment_variables": tfkit.DataHashes("function"),
			"runtime":                      tfkit.DataString("The runtime, for example `go126`."),
			"handler":                      tfkit.DataString("What the runtime calls."),
			"privacy":                      tfkit.DataString("`public`: anyone may call the function. `private`: only who has a token."),
			"http_option":                  tfkit.DataString("`enabled`: HTTP and HTTPS are served. `redirected`: HTTP is sent on to HTTPS."),
			"sandbox":                      tfkit.DataString("The environment that instances run in."),
			"min_scale":                    tfkit.DataNumber("The least number of instances."),
			"max_scale":                    tfkit.DataNumber("The greatest number of instances."),
			"memory_limit":                 tfkit.DataNumber("The memory of an instance, in MB."),
			"cpu_limit":                    tfkit.DataNumber("The share of a processor of an instance, in thousandths."),
			"timeout":                      tfkit.DataNumber("How long a call may take, in seconds."),
			"private_network_id":           tfkit.DataString("The private network that instances are attached to; empty if there is none."),
			"domain_name":                  tfkit.DataString("The host name under which the function is called."),
			"url":                          tfkit.DataString("Where the function is called: `https://` and its domain name. A Jeton server may serve it by another scheme or port."),
			"zip_file":                     tfkit.DataString("Always null: the service does not know where its archive came from."),
			"zip_hash":                     tfkit.DataString("Always null: the service does not know what it was."),
			"deploy":                       schema.BoolAttribute{Computed: true, MarkdownDescription: "Always null: the service does not know what a configuration says."},
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*functionData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !resp.Diagnostics.HasError() && spelling.Unset(m.FunctionID) && (spelling.Unset(m.NamespaceID) || spelling.Unset(m.Name)) {
		resp.Diagnostics.AddError("No function to look for", "A function is found by its id, or by its name in a namespace: set function_id, or set namespace_id and name.")
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
	wanted := m
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
	m.show(id, f, n)
	m.FunctionID = spelling.Keep(m.FunctionID, m.ID, spelling.Reference)
	wanted.refuse(&m, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the function that the configuration means, once it is neither
// built nor deployed, and nil after an error, which it reports.
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
			"There is no function "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.Backend.AddError(diags, "Cannot read the function", err)
		return nil
	}
	return f
}

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

// show writes what the service says, with "" and empty collections for what is
// not set, as the official provider's data source does.
func (m *dataModel) show(id regional.ID, f *sdk.Function, n *sdk.Namespace) {
	m.fill(id, f)
	m.URL = functionURL(f)
	m.setProject(n)
	m.SecretEnvironmentVariables = tfkit.SecretHashes(f.SecretEnvironmentVariables)
	m.setEmpty()
}

// refuse reports a namespace or a project beside the id that is not the function's.
// A name beside the id is ignored, as by the official provider.
func (m *dataModel) refuse(found *dataModel, diags *diag.Diagnostics) {
	for _, argument := range []struct {
		name          string
		wanted, found types.String
		same          spelling.Same
	}{
		{"namespace_id", m.NamespaceID, found.NamespaceID, spelling.Reference},
		{"project_id", m.ProjectID, found.ProjectID, spelling.Text},
	} {
		if tfkit.IsSet(argument.wanted) && !spelling.Equal(argument.wanted, argument.found, argument.same) {
			diags.AddAttributeError(path.Root(argument.name), "Another function than the one that is meant",
				"Function "+found.ID.ValueString()+" has "+argument.name+" "+tfkit.Quote(argument.found.ValueString())+", not "+tfkit.Quote(argument.wanted.ValueString())+
					": remove "+argument.name+", or correct it.")
		}
	}
}
