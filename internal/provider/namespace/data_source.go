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

// NewDataSource returns the data source scaleway_function_namespace.
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
		MarkdownDescription: "An existing namespace, looked up by its ID or by its name.",
		Attributes: map[string]schema.Attribute{
			"namespace_id":                 tfkit.DataReference("The ID of the namespace, in the form `region/uuid`, or its UUID. Set exactly one of `namespace_id` and `name`."),
			"name":                         tfkit.DataArgument("The name of the namespace. Set exactly one of `namespace_id` and `name`."),
			"region":                       tfkit.DataRegion("The region of the namespace. Defaults to the region in `namespace_id`, or else to the provider's region."),
			"project_id":                   tfkit.DataArgument("The UUID of the project. The lookup by name defaults to all projects that the API key can access.", tfkit.UUID()),
			"id":                           tfkit.DataString("The ID of the namespace, in the form `region/uuid`."),
			"organization_id":              tfkit.DataString("The UUID of the organization that owns the project."),
			"description":                  tfkit.DataString("The description of the namespace."),
			"tags":                         tfkit.DataStrings("The tags of the namespace."),
			"environment_variables":        tfkit.DataMap("The environment variables of the namespace."),
			"secret_environment_variables": tfkit.DataHashes("namespace"),
			"registry_endpoint":            tfkit.DataString("The endpoint of the container registry with the images of the functions."),
			"registry_namespace_id":        tfkit.DataString("The UUID of the container registry with the images of the functions."),
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
		resp.Diagnostics.AddError("Missing namespace_id or name", "A namespace is looked up by its ID or by its name: set namespace_id or name.")
	case tfkit.IsSet(m.NamespaceID) && tfkit.IsSet(m.Name):
		resp.Diagnostics.AddAttributeError(path.Root("name"), "Both namespace_id and name are set", "A namespace is looked up by its ID or by its name: remove namespace_id or name.")
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
	m.set(regional.ID{Region: region, UUID: n.ID}, n)
	m.NamespaceID = spelling.Keep(m.NamespaceID, m.ID, spelling.Reference)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// find returns the configured namespace once no change of it is pending. It returns nil
// after it has added an error.
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
			"Namespace "+id.String()+" does not exist: it was deleted, or is in another region or project.")
		return nil
	}
	if err != nil {
		d.Backend.AddError(diags, "Cannot read the function namespace", err)
		return nil
	}
	return n
}

// findNamed returns the namespace with the configured name. It returns nil after it has
// added an error.
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
		Ambiguous: "set project_id to look in one project, or set namespace_id instead of name",
	}.In(list.Namespaces, diags)
}

// set sets all attributes from the API's answer, with "" and empty collections for what
// is not set, as the official provider's data source does.
func (m *dataModel) set(id regional.ID, n *sdk.Namespace) {
	m.fill(id, n)
	m.SecretEnvironmentVariables = tfkit.SecretHashes(n.SecretEnvironmentVariables)
	m.setEmpty()
}
