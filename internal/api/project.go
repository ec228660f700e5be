package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// projectResponse is a project of Scaleway's account API.
type projectResponse struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	OrganizationID string        `json:"organization_id"`
	CreatedAt      stamp         `json:"created_at"`
	UpdatedAt      stamp         `json:"updated_at"`
	Description    string        `json:"description"`
	Qualification  qualification `json:"qualification"`
}

func (p projectResponse) objectID() string { return p.ID }

// qualification describes the use of a project at Scaleway. Jeton returns the recorded
// value of a project without a qualification.
type qualification struct {
	ArchitectureType string `json:"architecture_type"`
}

func encodeProject(p iam.Project, t access) projectResponse {
	changed := p.UpdatedAt
	if changed.IsZero() {
		changed = p.CreatedAt
	}
	return projectResponse{
		ID: p.ID, Name: p.Name, OrganizationID: p.OrganizationID, Description: p.Description,
		CreatedAt: stamp{p.CreatedAt, t == created}, UpdatedAt: stamp{changed, t != read},
		Qualification: qualification{"unknown_architecture_type"},
	}
}

func (a *API) getProject(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "project_id")
	if err != nil {
		return nil, err
	}
	if !scope.Covers(id) {
		return nil, missing{"project", id}
	}
	return encodeProject(a.config.Keys.Project(id), read), nil
}

type projectsResponse struct {
	TotalCount int               `json:"total_count"`
	Projects   []projectResponse `json:"projects"`
}

// listProjects returns the projects that the caller's key covers.
func (a *API) listProjects(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	if page, err = page.Checked("name"); err != nil {
		return nil, err
	}
	visible := scope.Projects
	if visible == nil {
		visible = []string{scope.ProjectID}
	}
	filter, wanted := queryFilter(r), r.URL.Query()["project_ids"]
	found := []projectResponse{}
	for _, id := range visible {
		p := a.config.Keys.Project(id)
		// A key may have the ID of a project that was deleted since.
		if p.ID != "" && matches(filter.OrganizationID, p.OrganizationID) && matches(filter.Name, p.Name) && among(wanted, p.ID) {
			found = append(found, encodeProject(p, read))
		}
	}
	sortProjects(found, page.Order())
	total := len(found)
	first := min(page.Offset(), total)
	return projectsResponse{total, found[first:min(first+page.Size, total)]}, nil
}

func sortProjects(all []projectResponse, order functions.Order) {
	slices.SortStableFunc(all, func(a, b projectResponse) int {
		result := a.CreatedAt.time.Compare(b.CreatedAt.time)
		if order.Field == "name" {
			result = strings.Compare(a.Name, b.Name)
		}
		if order.Descending {
			return -result
		}
		return result
	})
}

type createProjectRequest struct {
	Name           string `json:"name"`
	OrganizationID string `json:"organization_id"`
	Description    string `json:"description"`
}

// checkManages returns an error unless the caller's key may create, update and delete
// projects of the organization. An empty organization is that of the key.
func checkManages(r *http.Request, organization string) error {
	key := infoOf(r).key
	if !key.Organization || organization != "" && organization != key.OrganizationID {
		return permission{action: iam.Write, resource: "account_project"}
	}
	return nil
}

func (a *API) createProject(r *http.Request, _ functions.Scope) (any, error) {
	var request createProjectRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	if err := checkManages(r, request.OrganizationID); err != nil {
		return nil, err
	}
	p, err := a.config.Projects.CreateProjectIn(r.Context(), infoOf(r).key.OrganizationID, request.Name, request.Description)
	return encodeProject(p, created), err
}

type updateProjectRequest struct {
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

func (a *API) updateProject(r *http.Request, scope functions.Scope) (any, error) {
	var request updateProjectRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	id, err := a.managedProject(r, scope)
	if err != nil {
		return nil, err
	}
	p, err := a.config.Projects.UpdateProject(r.Context(), id, request.Name, request.Description)
	return encodeProject(p, updated), err
}

// deleteProject responds with 204, as the account API does. The Functions API responds to
// DELETE with the object.
func (a *API) deleteProject(r *http.Request, scope functions.Scope) (any, error) {
	id, err := a.managedProject(r, scope)
	if err != nil {
		return nil, err
	}
	if _, err := a.config.Projects.DeleteProject(r.Context(), id); err != nil {
		return nil, err
	}
	return stream(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), nil
}

// managedProject returns the ID of the project in the path, or an error unless the caller
// may change it.
func (a *API) managedProject(r *http.Request, scope functions.Scope) (string, error) {
	id, err := pathID(r, "project_id")
	if err != nil {
		return "", err
	}
	if !scope.Covers(id) {
		return "", missing{"project", id}
	}
	return id, checkManages(r, "")
}

// matches reports whether a value passes a filter. An empty filter passes all values.
func matches(wanted, value string) bool { return wanted == "" || wanted == value }

// among reports whether a value is in a list of several parameters, each with values
// separated by commas. An absent list contains all values.
func among(lists []string, value string) bool {
	wanted := strings.FieldsFunc(strings.Join(lists, ","), func(r rune) bool { return r == ',' })
	return len(wanted) == 0 || slices.Contains(wanted, value)
}
