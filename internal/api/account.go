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
	ID             string    `json:"id"`
	Name           string    `json:"name"`
	OrganizationID string    `json:"organization_id"`
	CreatedAt      stamp     `json:"created_at"`
	UpdatedAt      stamp     `json:"updated_at"`
	Description    string    `json:"description"`
	Qualification  *struct{} `json:"qualification"`
	Status         string    `json:"status"`
}

func encodeProject(p iam.Project) projectAnswer {
	return projectAnswer{
		ID: p.ID, Name: p.Name, OrganizationID: p.OrganizationID, Status: "active",
		CreatedAt: stamp{p.CreatedAt, false}, UpdatedAt: stamp{p.CreatedAt, false},
	}
}

func (a *API) getProject(r *http.Request, scope functions.Scope) (any, error) {
	id, err := pathID(r, "project_id")
	if err != nil {
		return nil, err
	}
	if id != scope.ProjectID {
		return nil, missing{"project", id}
	}
	return encodeProject(a.Keys.Project(id)), nil
}

type projectsAnswer struct {
	TotalCount int             `json:"total_count"`
	Projects   []projectAnswer `json:"projects"`
}

// listProjects gives the one project that the caller can see, if it is what is
// asked for.
func (a *API) listProjects(r *http.Request, scope functions.Scope) (any, error) {
	page, err := queryPage(r)
	if err != nil {
		return nil, err
	}
	found := []projectAnswer{}
	filter, own := queryFilter(r), a.Keys.Project(scope.ProjectID)
	if matches(filter.OrganizationID, own.OrganizationID) && matches(filter.Name, own.Name) && among(r.URL.Query()["project_ids"], own.ID) {
		found = append(found, encodeProject(own))
	}
	total := len(found)
	if page.Number > 1 {
		found = found[:0]
	}
	return projectsAnswer{total, found}, nil
}

func matches(wanted, value string) bool { return wanted == "" || wanted == value }

// among tells whether a value is in a list, which clients write as several
// parameters or with commas; every value is in one that is not given.
func among(lists []string, value string) bool {
	wanted := strings.FieldsFunc(strings.Join(lists, ","), func(r rune) bool { return r == ',' })
	return len(wanted) == 0 || slices.Contains(wanted, value)
}
