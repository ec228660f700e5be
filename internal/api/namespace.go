package api

import (
	"net/http"

	"github.com/jeton-dev/jeton/internal/functions"
)

// namespaceResponse has the members in the recorded order, as do the responses of the other
// objects.
type namespaceResponse struct {
	ID                         string            `json:"id"`
	Name                       string            `json:"name"`
	EnvironmentVariables       map[string]string `json:"environment_variables"`
	OrganizationID             string            `json:"organization_id"`
	ProjectID                  string            `json:"project_id"`
	Status                     functions.Status  `json:"status"`
	RegistryNamespaceID        string            `json:"registry_namespace_id"`
	ErrorMessage               nullable          `json:"error_message"`
	RegistryEndpoint           string            `json:"registry_endpoint"`
	Description                string            `json:"description"`
	SecretEnvironmentVariables []hashedSecret    `json:"secret_environment_variables"`
	Tags                       []string          `json:"tags"`
	CreatedAt                  stamp             `json:"created_at"`
	UpdatedAt                  stamp             `json:"updated_at"`
	VPCIntegrationActivated    bool              `json:"vpc_integration_activated"`
	Region                     functions.Region  `json:"region"`
}

func (n namespaceResponse) objectID() string { return n.ID }

func encodeNamespace(n functions.Namespace, t access) namespaceResponse {
	return namespaceResponse{
		ID: n.ID, Name: n.Name, EnvironmentVariables: mapOrEmpty(n.Variables),
		OrganizationID: n.OrganizationID, ProjectID: n.ProjectID, Status: n.Status,
		RegistryNamespaceID: n.RegistryID, ErrorMessage: nullable(n.ErrorMessage), RegistryEndpoint: n.RegistryEndpoint,
		Description: n.Description, SecretEnvironmentVariables: hashedSecrets(n.Secrets), Tags: listOrEmpty(n.Tags),
		CreatedAt: stamp{n.CreatedAt, t == created}, UpdatedAt: stamp{n.UpdatedAt, t != read},
		Region: n.Region,
	}
}

type createNamespaceRequest struct {
	Name                       string            `json:"name"`
	EnvironmentVariables       map[string]string `json:"environment_variables"`
	ProjectID                  string            `json:"project_id"`
	Description                string            `json:"description"`
	SecretEnvironmentVariables []secretRequest   `json:"secret_environment_variables"`
	Tags                       []string          `json:"tags"`
}

func (a *API) createNamespace(r *http.Request, scope functions.Scope) (any, error) {
	var request createNamespaceRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	n, err := a.config.Service.CreateNamespace(r.Context(), scope, functions.CreateNamespace{
		Name: request.Name, ProjectID: request.ProjectID, Description: request.Description, Tags: request.Tags,
		Variables: request.EnvironmentVariables, Secrets: secretChanges(request.SecretEnvironmentVariables),
	})
	return encodeNamespace(n, created), err
}

func (a *API) getNamespace(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "namespace_id")
	if err != nil {
		return nil, err
	}
	n, err := a.config.Service.Namespace(r.Context(), scope, id)
	return encodeNamespace(n, read), err
}

type namespacesResponse struct {
	Namespaces []namespaceResponse `json:"namespaces"`
	TotalCount int                 `json:"total_count"`
}

func (a *API) listNamespaces(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.NamespaceID, filter.FunctionID = "", ""
	found, total, err := a.config.Service.Namespaces(r.Context(), scope, filter, page)
	return namespacesResponse{encodeAll(found, encodeNamespace), total}, err
}

type updateNamespaceRequest struct {
	EnvironmentVariables       *map[string]string `json:"environment_variables"`
	Description                *string            `json:"description"`
	SecretEnvironmentVariables []secretRequest    `json:"secret_environment_variables"`
	Tags                       *[]string          `json:"tags"`
}

func (a *API) updateNamespace(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "namespace_id")
	if err != nil {
		return nil, err
	}
	var request updateNamespaceRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	n, err := a.config.Service.UpdateNamespace(r.Context(), scope, id, functions.UpdateNamespace{
		Description: request.Description, Tags: request.Tags,
		Variables: request.EnvironmentVariables, Secrets: secretChanges(request.SecretEnvironmentVariables),
	})
	return encodeNamespace(n, updated), err
}

func (a *API) deleteNamespace(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "namespace_id")
	if err != nil {
		return nil, err
	}
	n, err := a.config.Service.DeleteNamespace(r.Context(), scope, id)
	return encodeNamespace(n, updated), err
}
