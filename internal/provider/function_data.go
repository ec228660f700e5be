package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// functionData is the data source scaleway_function.
type functionData struct{ dataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*functionData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*functionData)(nil)
)

func newFunctionData() datasource.DataSource {
	return &functionData{dataSource{typeName: "scaleway_function"}}
}

// functionDataModel is the configuration and the result.
type functionDataModel struct {
	functionFields
	FunctionID types.String `tfsdk:"function_id"`
}

// Schema implements datasource.DataSource. It has the archive and the switch for
// deployments as the official provider's has them, which never says anything of
// them.
func (*functionData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A function that exists, found by its id, or by its name in a namespace.",
		Attributes: map[string]schema.Attribute{
			"function_id":                  dataReference("The function, of the form `region/uuid` or its uuid alone. Without it, `namespace_id` and `name` are set."),
			"namespace_id":                 dataReference("The namespace of the function, of the form `region/uuid` or its uuid alone."),
			"name":                         dataArgument("The name of the function. Ignored with `function_id`."),
			"region":                       dataRegion("The region; that of `function_id` or `namespace_id` if they name one, or else the provider's."),
			"project_id":                   dataArgument("The project. Another one than the function's is refused.", uuid()),
			"id":                           computedText("The id of the function, of the form `region/uuid`."),
			"organization_id":              computedText("The organization that the project belongs to."),
			"description":                  computedText("The description of the function."),
			"tags":                         computedTexts("The tags of the function."),
			"environment_variables":        computedMap("The environment variables of the function."),
			"secret_environment_variables": computedHashes("function"),
			"runtime":                      computedText("The runtime, for example `go126`."),
			"handler":                      computedText("What the runtime calls."),
			"privacy":                      computedText("`public`: anyone may call the function. `private`: only who has a token."),
			"http_option":                  computedText("`enabled`: HTTP and HTTPS are served. `redirected`: HTTP is sent on to HTTPS."),
			"sandbox":                      computedText("The environment that instances run in."),
			"min_scale":                    computedNumber("The least number of instances."),
			"max_scale":                    computedNumber("The greatest number of instances."),
			"memory_limit":                 computedNumber("The memory of an instance, in MB."),
			"cpu_limit":                    computedNumber("The share of a processor of an instance, in thousandths."),
			"timeout":                      computedNumber("How long a call may take, in seconds."),
			"private_network_id":           computedText("The private network that instances are attached to; empty if there is none."),
			"domain_name":                  computedText("The host name under which the function is called."),
			"url":                          computedText("Where the function is called: `https://` and its domain name. A Jeton server may serve it by another scheme or port."),
			"zip_file":                     computedText("Always null: the service does not know where its archive came from."),
			"zip_hash":                     computedText("Always null: the service does not know what it was."),
			"deploy":                       schema.BoolAttribute{Computed: true, MarkdownDescription: "Always null: the service does not know what a configuration says."},
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*functionData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m functionDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if !resp.Diagnostics.HasError() && spelling.Unset(m.FunctionID) && (spelling.Unset(m.NamespaceID) || spelling.Unset(m.Name)) {
		resp.Diagnostics.AddError("No function to look for", "A function is found by its id, or by its name in a namespace: set function_id, or set namespace_id and name.")
	}
}

// Read implements datasource.DataSource.
func (d *functionData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m functionDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, functionTimeout)
	defer cancel()
	wanted := m
	region := d.backend.regionOf(m.Region, m.FunctionID, m.NamespaceID)
	f := d.find(ctx, region, &m, &resp.Diagnostics)
	if f == nil {
		return
	}
	id := regional.ID{Region: region, UUID: f.ID}
	n, err := d.backend.API().GetNamespace(&function.GetNamespaceRequest{Region: region, NamespaceID: f.NamespaceID}, client.Context(ctx))
	if err != nil {
		d.backend.addError(&resp.Diagnostics, "Cannot read the namespace of the function", err)
		return
	}
	m.show(id, f, n)
	m.FunctionID = spelling.Keep(m.FunctionID, m.ID, spelling.Reference)
	wanted.refuse(&m, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the function that the configuration means, once it is neither
// built nor deployed, and nil after an error, which it reports.
func (d *functionData) find(ctx context.Context, region scw.Region, m *functionDataModel, diags *diag.Diagnostics) *function.Function {
	id := regional.ID{Region: region, UUID: checkReference(diags, "function_id", m.FunctionID, region)}
	namespaceID := checkReference(diags, "namespace_id", m.NamespaceID, region)
	if diags.HasError() {
		return nil
	}
	var known *function.Function
	if id.UUID == "" {
		if known = d.findNamed(ctx, regional.ID{Region: region, UUID: namespaceID}, m.Name.ValueString(), diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	f, err := d.backend.SettledFunction(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("function_id"), "No such function",
			"There is no function "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.backend.addError(diags, "Cannot read the function", err)
		return nil
	}
	return f
}

func (d *functionData) findNamed(ctx context.Context, namespace regional.ID, name string, diags *diag.Diagnostics) *function.Function {
	list, err := d.backend.API().ListFunctions(&function.ListFunctionsRequest{
		Region: namespace.Region, NamespaceID: namespace.UUID, Name: &name,
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.backend.addError(diags, "Cannot list the functions of the namespace", err)
		return nil
	}
	return named[function.Function]{
		noun: "function", place: "namespace " + namespace.String(), name: name,
		nameOf:  func(f *function.Function) string { return f.Name },
		several: "set function_id",
	}.among(list.Functions, diags)
}

// show writes what the service says, with "" and empty collections for what is
// not set, as the official provider's data source does.
func (m *functionDataModel) show(id regional.ID, f *function.Function, n *function.Namespace) {
	m.fill(id, f)
	m.URL = functionURL(f)
	m.setProject(n)
	m.SecretEnvironmentVariables = hashes(f.SecretEnvironmentVariables)
	m.setEmpty()
}

// refuse reports a namespace or a project beside the id that is not the function's.
// A name beside the id is ignored, as by the official provider.
func (m *functionDataModel) refuse(found *functionDataModel, diags *diag.Diagnostics) {
	for _, argument := range []struct {
		name          string
		wanted, found types.String
		same          spelling.Same
	}{
		{"namespace_id", m.NamespaceID, found.NamespaceID, spelling.Reference},
		{"project_id", m.ProjectID, found.ProjectID, spelling.Text},
	} {
		if isText(argument.wanted) && !spelling.Equal(argument.wanted, argument.found, argument.same) {
			diags.AddAttributeError(path.Root(argument.name), "Another function than the one that is meant",
				"Function "+found.ID.ValueString()+" has "+argument.name+" "+quoted(argument.found.ValueString())+", not "+quoted(argument.wanted.ValueString())+
					": remove "+argument.name+", or correct it.")
		}
	}
}
