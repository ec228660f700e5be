package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

// Of Scaleway's IAM and account APIs there is what clients of functions ask
// for: what a caller's own key and project are. All others are not there.

// apiKeyAnswer has no user_id and no application_id: Jeton has no users and no
// applications, and its keys are nobody else's.
type apiKeyAnswer struct {
	AccessKey        string   `json:"access_key"`
	SecretKey        nullable `json:"secret_key"`
	Description      string   `json:"description"`
	CreatedAt        stamp    `json:"created_at"`
	UpdatedAt        stamp    `json:"updated_at"`
	ExpiresAt        stamp    `json:"expires_at"`
	DefaultProjectID string   `json:"default_project_id"`
	Editable         bool     `json:"editable"`
	Deletable        bool     `json:"deletable"`
	Managed          bool     `json:"managed"`
	CreationIP       string   `json:"creation_ip"`
}

func (a *API) getAPIKey(r *http.Request, _ functions.Scope) (any, error) {
	key := notedFor(r).key
	if named := r.PathValue("access_key"); named != key.AccessKey {
		return nil, missing{"api_key", truncate(named, 200)}
	}
	return apiKeyAnswer{
		AccessKey: key.AccessKey, Description: key.Description, DefaultProjectID: key.ProjectID,
		CreatedAt: stamp{key.CreatedAt, false}, UpdatedAt: stamp{key.CreatedAt, false}, ExpiresAt: stamp{key.ExpiresAt, false},
	}, nil
}

type projectAnswer struct {
	ID             string        `json:"id"`
	Name           string        `json:"name"`
	OrganizationID string        `json:"organization_id"`
	CreatedAt      stamp         `json:"created_at"`
	UpdatedAt      stamp         `json:"updated_at"`
	Description    string        `json:"description"`
	Qualification  qualification `json:"qualification"`
}

// qualification is what customers tell Scaleway about a project. This is the
// recorded answer for one who told nothing.
type qualification struct {
	ArchitectureType string `json:"architecture_type"`
}

func encodeProject(p iam.Project, t touched) projectAnswer {
	changed := p.UpdatedAt
	if changed.IsZero() {
		changed = p.CreatedAt
	}
	return projectAnswer{
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
	return encodeProject(a.Keys.Project(id), read), nil
}

type projectsAnswer struct {
	TotalCount int             `json:"total_count"`
	Projects   []projectAnswer `json:"projects"`
}

// listProjects gives the projects that the caller can see.
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
	found := []projectAnswer{}
	for _, id := range visible {
		p := a.Keys.Project(id)
		// A key may name a project that was deleted since.
		if p.ID != "" && matches(filter.OrganizationID, p.OrganizationID) && matches(filter.Name, p.Name) && among(wanted, p.ID) {
			found = append(found, encodeProject(p, read))
		}
	}
	sortProjects(found, page.Order())
	total := len(found)
	first := min(page.Offset(), total)
	return projectsAnswer{total, found[first:min(first+page.Size, total)]}, nil
}

func sortProjects(all []projectAnswer, order functions.Order) {
	slices.SortStableFunc(all, func(a, b projectAnswer) int {
		way := a.CreatedAt.time.Compare(b.CreatedAt.time)
		if order.Field == "name" {
			way = strings.Compare(a.Name, b.Name)
		}
		if order.Descending {
			return -way
		}
		return way
	})
}

type createProjectRequest struct {
	Name           string `json:"name"`
	OrganizationID string `json:"organization_id"`
	Description    string `json:"description"`
}

// manages returns an error unless the caller's key may make, change and delete
// projects of the organization.
func manages(r *http.Request, organization string) error {
	key := notedFor(r).key
	if !key.Organization || organization != "" && organization != key.OrganizationID {
		return permission{iam.Write, "account_project"}
	}
	return nil
}

func (a *API) createProject(r *http.Request, _ functions.Scope) (any, error) {
	var request createProjectRequest
	if err := decode(r, &request); err != nil {
		return nil, err
	}
	if err := manages(r, request.OrganizationID); err != nil {
		return nil, err
	}
	p, err := a.Projects.MakeProject(r.Context(), notedFor(r).key.OrganizationID, request.Name, request.Description)
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
	p, err := a.Projects.UpdateProject(r.Context(), id, request.Name, request.Description)
	return encodeProject(p, updated), err
}

// deleteProject answers 204, as the account API does, unlike that of functions.
func (a *API) deleteProject(r *http.Request, scope functions.Scope) (any, error) {
	id, err := a.managedProject(r, scope)
	if err != nil {
		return nil, err
	}
	if _, err := a.Projects.DeleteProject(r.Context(), id); err != nil {
		return nil, err
	}
	return stream(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }), nil
}

// managedProject is the ID of the project in the path, which the caller may
// change.
func (a *API) managedProject(r *http.Request, scope functions.Scope) (string, error) {
	id, err := pathID(r, "project_id")
	if err != nil {
		return "", err
	}
	if !scope.Covers(id) {
		return "", missing{"project", id}
	}
	return id, manages(r, "")
}

func matches(wanted, value string) bool { return wanted == "" || wanted == value }

// among tells whether a value is in a list, which clients write as several
// parameters or with commas; every value is in one that is not given.
func among(lists []string, value string) bool {
	wanted := strings.FieldsFunc(strings.Join(lists, ","), func(r rune) bool { return r == ',' })
	return len(wanted) == 0 || slices.Contains(wanted, value)
}
