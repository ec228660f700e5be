package api

import (
	"net/http"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
)

type functionResponse struct {
	ID                         string               `json:"id"`
	Name                       string               `json:"name"`
	NamespaceID                string               `json:"namespace_id"`
	Status                     functions.Status     `json:"status"`
	EnvironmentVariables       map[string]string    `json:"environment_variables"`
	MinScale                   int                  `json:"min_scale"`
	MaxScale                   int                  `json:"max_scale"`
	Runtime                    string               `json:"runtime"`
	MemoryLimit                int                  `json:"memory_limit"`
	CPULimit                   int                  `json:"cpu_limit"`
	Timeout                    duration             `json:"timeout"`
	Handler                    string               `json:"handler"`
	ErrorMessage               nullable             `json:"error_message"`
	Privacy                    functions.Privacy    `json:"privacy"`
	Description                string               `json:"description"`
	DomainName                 string               `json:"domain_name"`
	SecretEnvironmentVariables []hashedSecret       `json:"secret_environment_variables"`
	HTTPOption                 functions.HTTPOption `json:"http_option"`
	RuntimeMessage             string               `json:"runtime_message"`
	BuildMessage               nullable             `json:"build_message"`
	Sandbox                    string               `json:"sandbox"`
	CreatedAt                  stamp                `json:"created_at"`
	UpdatedAt                  stamp                `json:"updated_at"`
	ReadyAt                    stamp                `json:"ready_at"`
	Tags                       []string             `json:"tags"`
	PrivateNetworkID           nullable             `json:"private_network_id"`
	Region                     functions.Region     `json:"region"`
}

func (f functionResponse) objectID() string { return f.ID }

func encodeFunction(f functions.Function, t access) functionResponse {
	// The provider shows any runtime_message as a warning in each plan. Recorded ones are
	// empty unless the runtime is deprecated or unsupported.
	kind, _ := runtime.Lookup(f.Runtime)
	return functionResponse{
		ID: f.ID, Name: f.Name, NamespaceID: f.NamespaceID, Status: f.Status,
		EnvironmentVariables: mapOrEmpty(f.Variables), MinScale: f.MinScale, MaxScale: f.MaxScale,
		Runtime: f.Runtime, MemoryLimit: f.MemoryLimit, CPULimit: f.CPULimit, Timeout: duration(f.Timeout),
		Handler: f.Handler, ErrorMessage: nullable(f.ErrorMessage), Privacy: f.Privacy, Description: f.Description,
		DomainName: f.DomainName, SecretEnvironmentVariables: hashedSecrets(f.Secrets), HTTPOption: f.HTTPOption,
		RuntimeMessage: kind.StatusMessage, BuildMessage: nullable(f.BuildMessage), Sandbox: f.Sandbox,
		CreatedAt: stamp{f.CreatedAt, t == created}, UpdatedAt: stamp{f.UpdatedAt, t != read}, ReadyAt: stamp{f.ReadyAt, false},
		Tags: listOrEmpty(f.Tags), PrivateNetworkID: nullable(f.PrivateNetworkID), Region: f.Region,
	}
}

type createFunctionRequest struct {
	Name                       string            `json:"name"`
	NamespaceID                string            `json:"namespace_id"`
	EnvironmentVariables       map[string]string `json:"environment_variables"`
	MinScale                   *int              `json:"min_scale"`
	MaxScale                   *int              `json:"max_scale"`
	Runtime                    string            `json:"runtime"`
	MemoryLimit                *int              `json:"memory_limit"`
	Timeout                    *duration         `json:"timeout"`
	Handler                    string            `json:"handler"`
	Privacy                    string            `json:"privacy"`
	Description                string            `json:"description"`
	SecretEnvironmentVariables []secretRequest   `json:"secret_environment_variables"`
	HTTPOption                 string            `json:"http_option"`
	Sandbox                    string            `json:"sandbox"`
	Tags                       []string          `json:"tags"`
	PrivateNetworkID           string            `json:"private_network_id"`
}

func (a *API) createFunction(r *http.Request, scope functions.Scope) (any, error) {
	var request createFunctionRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	f, err := a.config.Service.CreateFunction(r.Context(), scope, functions.CreateFunction{
		NamespaceID: request.NamespaceID, Name: request.Name, Description: request.Description, Tags: request.Tags,
		Variables: request.EnvironmentVariables, Secrets: secretChanges(request.SecretEnvironmentVariables),
		MinScale: request.MinScale, MaxScale: request.MaxScale, Runtime: given(request.Runtime),
		Handler: request.Handler, MemoryLimit: request.MemoryLimit, Timeout: (*time.Duration)(request.Timeout),
		Privacy:    functions.Privacy(given(request.Privacy)),
		HTTPOption: functions.HTTPOption(given(request.HTTPOption)), Sandbox: given(request.Sandbox),
		PrivateNetworkID: request.PrivateNetworkID,
	})
	return encodeFunction(f, created), err
}

func (a *API) getFunction(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	f, err := a.config.Service.Function(r.Context(), scope, id)
	return encodeFunction(f, read), err
}

func (a *API) listFunctions(r *http.Request, scope functions.Scope) (any, error) {
	return a.functionsOf(r, scope, r.URL.Query().Get("namespace_id"))
}

type functionsResponse struct {
	Functions  []functionResponse `json:"functions"`
	TotalCount int                `json:"total_count"`
}

func (a *API) functionsOf(r *http.Request, scope functions.Scope, namespaceID string) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	filter := queryFilter(r)
	filter.NamespaceID, filter.FunctionID = namespaceID, ""
	found, total, err := a.config.Service.Functions(r.Context(), scope, filter, page)
	return functionsResponse{encodeAll(found, encodeFunction), total}, err
}

type updateFunctionRequest struct {
	EnvironmentVariables       *map[string]string `json:"environment_variables"`
	MinScale                   *int               `json:"min_scale"`
	MaxScale                   *int               `json:"max_scale"`
	Runtime                    string             `json:"runtime"`
	MemoryLimit                *int               `json:"memory_limit"`
	Timeout                    *duration          `json:"timeout"`
	Redeploy                   bool               `json:"redeploy"`
	Handler                    *string            `json:"handler"`
	Privacy                    string             `json:"privacy"`
	Description                *string            `json:"description"`
	SecretEnvironmentVariables []secretRequest    `json:"secret_environment_variables"`
	HTTPOption                 string             `json:"http_option"`
	Sandbox                    string             `json:"sandbox"`
	Tags                       *[]string          `json:"tags"`
	PrivateNetworkID           *string            `json:"private_network_id"`
}

func (a *API) updateFunction(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	var request updateFunctionRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	f, err := a.config.Service.UpdateFunction(r.Context(), scope, id, functions.UpdateFunction{
		Description: request.Description, Tags: request.Tags,
		Variables: request.EnvironmentVariables, Secrets: secretChanges(request.SecretEnvironmentVariables),
		MinScale: request.MinScale, MaxScale: request.MaxScale, Runtime: given(request.Runtime),
		Handler: request.Handler, MemoryLimit: request.MemoryLimit, Timeout: (*time.Duration)(request.Timeout),
		Privacy:    functions.Privacy(given(request.Privacy)),
		HTTPOption: functions.HTTPOption(given(request.HTTPOption)), Sandbox: given(request.Sandbox),
		PrivateNetworkID: request.PrivateNetworkID, Redeploy: request.Redeploy,
	})
	return encodeFunction(f, updated), err
}

func (a *API) deleteFunction(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	f, err := a.config.Service.DeleteFunction(r.Context(), scope, id)
	return encodeFunction(f, updated), err
}

func (a *API) deployFunction(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "function_id")
	if err != nil {
		return nil, err
	}
	var request struct{}
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	f, err := a.config.Service.DeployFunction(r.Context(), scope, id)
	return encodeFunction(f, updated), err
}
