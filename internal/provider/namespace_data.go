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

// namespaceData is the data source scaleway_function_namespace.
type namespaceData struct{ dataSource }

var (
	_ datasource.DataSourceWithConfigure      = (*namespaceData)(nil)
	_ datasource.DataSourceWithValidateConfig = (*namespaceData)(nil)
)

func newNamespaceData() datasource.DataSource {
	return &namespaceData{dataSource{typeName: "scaleway_function_namespace"}}
}

// namespaceDataModel is the configuration and the result.
type namespaceDataModel struct {
	namespaceFields
	NamespaceID types.String `tfsdk:"namespace_id"`
}

// Schema implements datasource.DataSource.
func (*namespaceData) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A namespace that exists, found by its id or its name.",
		Attributes: map[string]schema.Attribute{
			"namespace_id":                 dataReference("The namespace, of the form `region/uuid` or its uuid alone. Exactly one of `namespace_id` and `name` is set."),
			"name":                         dataArgument("The name of the namespace. Exactly one of `namespace_id` and `name` is set."),
			"region":                       dataRegion("The region; that of `namespace_id` if it names one, or else the provider's."),
			"project_id":                   dataArgument("The project to look for the name in; all that the key may see by default.", uuid()),
			"id":                           computedText("The id of the namespace, of the form `region/uuid`."),
			"organization_id":              computedText("The organization that the project belongs to."),
			"description":                  computedText("The description of the namespace."),
			"tags":                         computedTexts("The tags of the namespace."),
			"environment_variables":        computedMap("The environment variables of the namespace."),
			"secret_environment_variables": computedHashes("namespace"),
			"registry_endpoint":            computedText("Where the images of the functions are kept."),
			"registry_namespace_id":        computedText("The uuid of the registry that keeps the images of the functions."),
		},
	}
}

// ValidateConfig implements datasource.DataSourceWithValidateConfig.
func (*namespaceData) ValidateConfig(ctx context.Context, req datasource.ValidateConfigRequest, resp *datasource.ValidateConfigResponse) {
	var m namespaceDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	switch {
	case resp.Diagnostics.HasError():
	case spelling.Unset(m.NamespaceID) && spelling.Unset(m.Name):
		resp.Diagnostics.AddError("No namespace to look for", "A namespace is found by its id or its name: set namespace_id or name.")
	case isText(m.NamespaceID) && isText(m.Name):
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Two ways to one namespace", "A namespace is found by its id or its name: remove namespace_id or name.")
	}
}

// Read implements datasource.DataSource.
func (d *namespaceData) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m namespaceDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, namespaceTimeout)
	defer cancel()
	region := d.backend.regionOf(m.Region, m.NamespaceID)
	n := d.find(ctx, region, &m, &resp.Diagnostics)
	if n == nil {
		return
	}
	if isText(m.ProjectID) && m.ProjectID.ValueString() != n.ProjectID {
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
func (d *namespaceData) find(ctx context.Context, region scw.Region, m *namespaceDataModel, diags *diag.Diagnostics) *function.Namespace {
	id := regional.ID{Region: region, UUID: checkReference(diags, "namespace_id", m.NamespaceID, region)}
	if diags.HasError() {
		return nil
	}
	var known *function.Namespace
	if id.UUID == "" {
		if known = d.findNamed(ctx, region, m, diags); known == nil {
			return nil
		}
		id.UUID = known.ID
	}
	n, err := d.backend.SettledNamespace(ctx, id, known)
	if client.IsNotFound(err) {
		diags.AddAttributeError(path.Root("namespace_id"), "No such function namespace",
			"There is no namespace "+id.String()+": it was deleted, or lives in another region or project.")
		return nil
	}
	if err != nil {
		d.backend.addError(diags, "Cannot read the function namespace", err)
		return nil
	}
	return n
}

func (d *namespaceData) findNamed(ctx context.Context, region scw.Region, m *namespaceDataModel, diags *diag.Diagnostics) *function.Namespace {
	list, err := d.backend.API().ListNamespaces(&function.ListNamespacesRequest{
		Region: region, Name: m.Name.ValueStringPointer(), ProjectID: optionalText(m.ProjectID),
	}, client.Context(ctx), scw.WithAllPages())
	if err != nil {
		d.backend.addError(diags, "Cannot list the function namespaces", err)
		return nil
	}
	place := region.String()
	if isText(m.ProjectID) {
		place = "project " + m.ProjectID.ValueString() + " in " + place
	}
	return named[function.Namespace]{
		noun: "function namespace", place: place, name: m.Name.ValueString(),
		nameOf:  func(n *function.Namespace) string { return n.Name },
		several: "set project_id to look in one project, or set namespace_id in place of name",
	}.among(list.Namespaces, diags)
}

// show writes what the service says, with "" and empty collections for what is
// not set, as the official provider's data source does.
func (m *namespaceDataModel) show(id regional.ID, n *function.Namespace) {
	m.fill(id, n)
	m.SecretEnvironmentVariables = hashes(n.SecretEnvironmentVariables)
	m.setEmpty()
}
