package namespace

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

// namespaceData is the data source scaleway_function_namespace.
type namespaceData struct{ tfkit.BaseDataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*namespaceData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*namespaceData)(nil)
)

func NewDataSource() datasource.DataSource {
	return &namespaceData{tfkit.BaseDataSource{TypeName: "scaleway_function_namespace"}}
}

// dataModel is the configuration and the result.
type dataModel struct {
	fields
	NamespaceID types.String `tfsdk:"namespace_id"`
}

// Schema implements datasource.DataSource.
func (*namespaceData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A namespace that exists, found by its id or its name.",
		Attributes: map[string]schema.Attribute{
			"namespace_id":                 tfkit.DataReference("The namespace, of the form `region/uuid` or its uuid alone. Exactly one of `namespace_id` and `name` is set."),
			"name":                         tfkit.DataArgument("The name of the namespace. Exactly one of `namespace_id` and `name` is set."),
			"region":                       tfkit.DataRegion("The region; that of `namespace_id` if it names one, or else the provider's."),
			"project_id":                   tfkit.DataArgument("The project to look for the name in; all that the key may see by default.", tfkit.UUID()),
			"id":                           tfkit.DataString("The id of the namespace, of the form `region/uuid`."),
			"organization_id":              tfkit.DataString("The organization that the project belongs to."),
			"description":                  tfkit.DataString("The description of the namespace."),
			"tags":                         tfkit.DataStrings("The tags of the namespace."),
			"environment_variables":        tfkit.DataMap("The environment variables of the namespace."),
			"secret_environment_variables": tfkit.DataHashes("namespace"),
			"registry_endpoint":            tfkit.DataString("Where the images of the functions are kept."),
			"registry_namespace_id":        tfkit.DataString("The uuid of the registry that keeps the images of the functions."),
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*namespaceData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	switch {
	case resp.Diagnostics.HasError():
	case spelling.Unset(m.NamespaceID) && spelling.Unset(m.Name):
		resp.Diagnostics.AddError("No namespace to look for", "A namespace is found by its id or its name: set namespace_id or name.")
	case tfkit.IsSet(m.NamespaceID) && tfkit.IsSet(m.Name):
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Two ways to one namespace", "A namespace is found by its id or its name: remove namespace_id or name.")
	}
}

// Read implements datasource.DataSource.
func (d *namespaceData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m dataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	region := d.Backend.RegionOf(m.Region, m.NamespaceID)
	n := d.find(ctx, region, &m, &resp.Diagnostics)
	if n == nil {
		return
	}
	if tfkit.IsSet(m.ProjectID) && m.ProjectID.ValueString() != n.ProjectID {
		resp.Diagnostics.AddAttributeError(path.Root("project_id"), "The namespace is in another project",
			"Namespace "+region.String()+"/"+n.ID+" is in project "+n.ProjectID+", not in "+m.ProjectID.ValueString()+": remove project_id, or correct it.")
		return
	}
	m.show(regional.ID{Region: region, UUID: n.ID}, n)
	m.NamespaceID = spelling.Keep(m.NamespaceID, m.ID, spelling.Reference)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the namespace that the configuration means, once it is neither
// made nor changed, and nil after an error, which it reports.
func (d *namespaceData) find(ctx context.Context, region scw.Region, m *dataModel, diags *diag.Diagnostics) *sdk.Namespace {
	id := regional.ID{Region: region, UUID: tfkit.CheckReference(diags, "namespace_id", m.NamespaceID, region)}
	if diags.HasError() {
		return nil
	}
	var known *sdk.Namespace
	if id.UUID == "" {
		if known = d.findNamed(ctx, region, m, diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	n, err := d.Backend.SettledNamespace(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("namespace_id"), "No such function namespace",
			"There is no namespace "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.Backend.AddError(diags, "Cannot read the function namespace", err)
		return nil
	}
	return n
}

func (d *namespaceData) findNamed(ctx context.Context, region scw.Region, m *dataModel, diags *diag.Diagnostics) *sdk.Namespace {
	list, err := d.Backend.API().ListNamespaces(&sdk.ListNamespacesRequest{
		Region: region, Name: m.Name.ValueStringPointer(), ProjectID: tfkit.OptionalString(m.ProjectID),
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.Backend.AddError(diags, "Cannot list the function namespaces", err)
		return nil
	}
	place := region.String()
	if tfkit.IsSet(m.ProjectID) {
		place = "project " + m.ProjectID.ValueString() + " in " + place
	}
	return tfkit.Lookup[sdk.Namespace]{
		Noun: "function namespace", Place: place, Name: m.Name.ValueString(),
		NameOf:    func(n *sdk.Namespace) string { return n.Name },
		Ambiguous: "set project_id to look in one project, or set namespace_id in place of name",
	}.In(list.Namespaces, diags)
}

// show writes what the service says, with "" and empty collections for what is
// not set, as the official provider's data source does.
func (m *dataModel) show(id regional.ID, n *sdk.Namespace) {
	m.fill(id, n)
	m.SecretEnvironmentVariables = tfkit.SecretHashes(n.SecretEnvironmentVariables)
	m.setEmpty()
}
