package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/live"
)

// functionRow is a function in a list over all namespaces, with its last hour.
type functionRow struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	NamespaceID   string            `json:"namespace_id"`
	NamespaceName string            `json:"namespace_name"`
	ProjectID     string            `json:"project_id"`
	Status        functions.Status  `json:"status"`
	StateMessage  string            `json:"state_message"`
	Privacy       functions.Privacy `json:"privacy"`
	Runtime       string            `json:"runtime"`
	DomainName    string            `json:"domain_name"`
	UpdatedAt     stamp             `json:"updated_at"`
	Calls         int64             `json:"calls"`
	Errors        int64             `json:"errors"`
	ColdStarts    int64             `json:"cold_starts"`
	Instances     int64             `json:"instances"`
}

type functionRows struct {
	Functions      []functionRow            `json:"functions"`
	TotalCount     int                      `json:"total_count"`
	NamespaceCount int                      `json:"namespace_count"`
	StatusCounts   map[functions.Status]int `json:"status_counts"`
}

// searchFunctions returns a page of the functions of all namespaces.
func (a *API) searchFunctions(r *http.Request, scope functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	wanted := live.Query{Search: query.Get("search"), NamespaceID: query.Get("namespace_id"), Status: functions.Status(query.Get("status"))}
	if wanted.Order, wanted.Descending, err = rowOrder(page.OrderBy); err != nil {
		return nil, err
	}
	page.OrderBy = ""
	if page, err = page.Checked(); err != nil {
		return nil, err
	}
	found, total := in.View.Functions(scope, wanted, page.Offset(), page.Size)
	ids := make([]string, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	activity := in.Metrics.Activity(r.Context(), ids)
	rows := make([]functionRow, len(found))
	for i, f := range found {
		seen := activity[f.ID]
		rows[i] = functionRow{
			ID: f.ID, Name: f.Name, NamespaceID: f.NamespaceID, NamespaceName: in.View.NamespaceName(f.NamespaceID), ProjectID: f.ProjectID,
			Status: f.Status, StateMessage: f.Message, Privacy: f.Privacy, Runtime: f.Runtime, DomainName: f.DomainName,
			UpdatedAt: stamp{f.UpdatedAt, false},
			Calls:     seen.Calls, Errors: seen.Errors, ColdStarts: seen.ColdStarts, Instances: seen.Instances,
		}
	}
	counts := in.View.Counts(scope)
	return functionRows{rows, total, counts.Namespaces, counts.ByStatus}, nil
}

// rowOrder returns the order that a parameter such as name_asc requests.
func rowOrder(text string) (column string, descending bool, err error) {
	column, descending = strings.CutSuffix(text, "_desc")
	column = strings.TrimSuffix(column, "_asc")
	if column != "" && !slices.Contains(live.Orders, column) {
		return "", false, &functions.Error{
			Code: functions.InvalidArgument, Argument: "order_by", Reason: "constraint",
			Message: "must be one of " + strings.Join(live.Orders, ", ") + ", with _asc or _desc",
		}
	}
	return column, descending, nil
}

type deploymentRow struct {
	Generation   int64            `json:"generation"`
	Code         string           `json:"code_sha256"`
	StartedAt    time.Time        `json:"started_at"`
	Seconds      float64          `json:"duration_seconds"`
	Status       functions.Status `json:"status"`
	StateMessage string           `json:"state_message"`
}

type deploymentsResponse struct {
	Deployments []deploymentRow `json:"deployments"`
	// Serving is the revision that serves.
	Serving  *servingRevision `json:"serving"`
	Uploaded string           `json:"uploaded_sha256"`
}

type servingRevision struct {
	ID          string `json:"revision_id"`
	Code        string `json:"code_sha256"`
	Runtime     string `json:"runtime"`
	Handler     string `json:"handler"`
	MemoryLimit int    `json:"memory_limit"`
}

// listDeployments returns the code versions of a function and its latest deployments.
func (a *API) listDeployments(r *http.Request, scope functions.Scope) (any, error) {
	in, f, err := a.insightFunction(r, scope)
	if err != nil {
		return nil, err
	}
	response := deploymentsResponse{Deployments: []deploymentRow{}, Uploaded: f.Archive}
	if s := f.Revision; s != nil {
		response.Serving = &servingRevision{ID: s.ID, Code: s.Archive, Runtime: s.Runtime, Handler: s.Handler, MemoryLimit: s.MemoryLimit}
	}
	for _, d := range in.View.Deployments(f.ID) {
		response.Deployments = append(response.Deployments, deploymentRow{
			Generation: d.Generation, Code: d.Code, StartedAt: d.Began.UTC(), Seconds: d.Duration.Seconds(), Status: d.Status, StateMessage: d.Message,
		})
	}
	return response, nil
}

// getMetrics returns the history of one function, of a namespace, or of all functions that
// the API key covers.
func (a *API) getMetrics(r *http.Request, scope functions.Scope) (any, error) {
	in, err := a.insight()
	if err != nil {
		return nil, err
	}
	query := r.URL.Query()
	day := query.Get("range") == "day"
	id := query.Get("function_id")
	if id == "" {
		return in.Metrics.Sum(r.Context(), day, scope, query.Get("namespace_id")), nil
	}
	if _, err := a.config.Service.Function(r.Context(), scope, id); err != nil {
		return nil, err
	}
	return in.Metrics.Of(r.Context(), id, day), nil
}
