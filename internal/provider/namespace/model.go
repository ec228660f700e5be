package namespace

import (
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// model is a namespace in configuration, plan and state.
type model struct {
	fields
	SecretsWO        types.Map    `tfsdk:"secret_environment_variables_wo"`
	SecretsWOVersion types.Int64  `tfsdk:"secret_environment_variables_wo_version"`
	Timeouts         types.Object `tfsdk:"timeouts"`
}

// fields are what the resource and the data source have in common.
type fields struct {
	ID                         types.String `tfsdk:"id"`
	Name                       types.String `tfsdk:"name"`
	Description                types.String `tfsdk:"description"`
	Tags                       types.List   `tfsdk:"tags"`
	EnvironmentVariables       types.Map    `tfsdk:"environment_variables"`
	SecretEnvironmentVariables types.Map    `tfsdk:"secret_environment_variables"`
	RegistryEndpoint           types.String `tfsdk:"registry_endpoint"`
	RegistryNamespaceID        types.String `tfsdk:"registry_namespace_id"`
	Region                     types.String `tfsdk:"region"`
	ProjectID                  types.String `tfsdk:"project_id"`
	OrganizationID             types.String `tfsdk:"organization_id"`
}

// fill takes over what the service says, in the model's own spelling where that
// says the same. It leaves the secrets alone.
func (m *fields) fill(id regional.ID, n *sdk.Namespace) {
	m.ID = types.StringValue(id.String())
	m.Name = types.StringValue(n.Name)
	m.Description = spelling.Keep(m.Description, types.StringPointerValue(n.Description), spelling.Text)
	m.Tags = spelling.KeepList(m.Tags, tfkit.ListValue(n.Tags))
	m.EnvironmentVariables = spelling.KeepMap(m.EnvironmentVariables, tfkit.MapValue(n.EnvironmentVariables))
	m.RegistryEndpoint = types.StringValue(n.RegistryEndpoint)
	m.RegistryNamespaceID = types.StringValue(n.RegistryNamespaceID)
	m.Region = types.StringValue(id.Region.String())
	m.ProjectID = types.StringValue(n.ProjectID)
	m.OrganizationID = types.StringValue(n.OrganizationID)
}

// setEmpty writes "", [] and {} for what is not set, as the official provider does.
func (m *fields) setEmpty() {
	m.Description = spelling.OrEmpty(m.Description)
	m.Tags = spelling.OrEmptyList(m.Tags)
	m.EnvironmentVariables = spelling.OrEmptyMap(m.EnvironmentVariables)
	m.SecretEnvironmentVariables = spelling.OrEmptyMap(m.SecretEnvironmentVariables)
}

// createRequest returns the request that makes the planned namespace.
func (m *model) createRequest(region scw.Region, name, projectID string, secrets []*sdk.Secret) *sdk.CreateNamespaceRequest {
	req := &sdk.CreateNamespaceRequest{
		Region:                     region,
		Name:                       name,
		ProjectID:                  projectID,
		Description:                tfkit.OptionalString(m.Description),
		SecretEnvironmentVariables: secrets,
		Tags:                       tfkit.ListStrings(m.Tags),
	}
	if variables := tfkit.MapStrings(m.EnvironmentVariables); len(variables) > 0 {
		req.EnvironmentVariables = &variables
	}
	return req
}

// updateRequest returns the request that makes the namespace what is planned, or
// nil if it is so already.
func (m *model) updateRequest(id regional.ID, secrets []*sdk.Secret, n *sdk.Namespace) *sdk.UpdateNamespaceRequest {
	req := &sdk.UpdateNamespaceRequest{
		Region:                     id.Region,
		NamespaceID:                id.UUID,
		Description:                tfkit.ChangedString(m.Description, n.Description),
		Tags:                       tfkit.ChangedList(m.Tags, n.Tags),
		EnvironmentVariables:       tfkit.ChangedMap(m.EnvironmentVariables, n.EnvironmentVariables),
		SecretEnvironmentVariables: secrets,
	}
	if req.Description == nil && req.Tags == nil && req.EnvironmentVariables == nil && req.SecretEnvironmentVariables == nil {
		return nil
	}
	return req
}

// secretUpdate compares the secrets that are configured with those of the prior
// state, which is nil for an object that is to be made.
func (m *model) secretUpdate(prior *model, remembered []string) tfkit.SecretUpdate {
	return tfkit.SecretUpdate{
		Plain:         tfkit.MapStrings(m.SecretEnvironmentVariables),
		WriteOnly:     tfkit.MapStrings(m.SecretsWO),
		SendWriteOnly: prior == nil || !m.SecretsWOVersion.Equal(prior.SecretsWOVersion),
		StoredNames:   remembered,
	}
}
