package e2e_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	iamapi "github.com/scaleway/scaleway-sdk-go/api/iam/v1alpha1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
)

// Clients ask who they are, and learn of nobody else.
func TestOwnKeyAndProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := must[admin.Project](t)(w.Admin.CreateProject(t.Context(), "second"))
	expires := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	key := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{
		Project: p.ID, Permissions: []string{iam.ReadOnly}, Description: "who I am", ExpiresAt: expires,
	}))
	client := w.ClientOf(key)

	own := must[*iamapi.APIKey](t)(iamapi.NewAPI(client).GetAPIKey(&iamapi.GetAPIKeyRequest{AccessKey: key.AccessKey}))
	if own.AccessKey != key.AccessKey || own.SecretKey != nil || own.DefaultProjectID != p.ID || own.Description != "who I am" ||
		own.CreatedAt == nil || own.ExpiresAt == nil || !own.ExpiresAt.Equal(expires) {
		t.Errorf("the key is %+v", own)
	}
	api := account.NewProjectAPI(client)
	got := must[*account.Project](t)(api.GetProject(&account.ProjectAPIGetProjectRequest{}))
	if got.ID != p.ID || got.Name != "second" || got.OrganizationID != w.OrganizationID || got.Status != account.ProjectStatusActive || got.CreatedAt == nil {
		t.Errorf("the project is %+v", got)
	}
	for name, test := range map[string]struct {
		request account.ProjectAPIListProjectsRequest
		found   int
	}{
		"all":                     {account.ProjectAPIListProjectsRequest{}, 1},
		"by its name":             {account.ProjectAPIListProjectsRequest{Name: pointer("second")}, 1},
		"by another's name":       {account.ProjectAPIListProjectsRequest{Name: pointer("default")}, 0},
		"by its ID":               {account.ProjectAPIListProjectsRequest{ProjectIDs: []string{p.ID, nobody}}, 1},
		"by another's ID":         {account.ProjectAPIListProjectsRequest{ProjectIDs: []string{w.ProjectID}}, 0},
		"of another organization": {account.ProjectAPIListProjectsRequest{OrganizationID: nobody}, 0},
	} {
		list := must[*account.ListProjectsResponse](t)(api.ListProjects(&test.request, scw.WithAllPages()))
		if len(list.Projects) != test.found || int(list.TotalCount) != test.found {
			t.Errorf("%s: %d of %d, want %d", name, len(list.Projects), list.TotalCount, test.found)
		}
	}
	_, err := iamapi.NewAPI(client).GetAPIKey(&iamapi.GetAPIKeyRequest{AccessKey: w.AccessKey})
	if missing, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok || missing.Resource != "api_key" || missing.ResourceID != w.AccessKey {
		t.Errorf("another's key: %v, want a resource that is not found", err)
	}
	_, err = api.GetProject(&account.ProjectAPIGetProjectRequest{ProjectID: w.ProjectID})
	if missing, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok || missing.Resource != "project" {
		t.Errorf("another's project: %v, want a resource that is not found", err)
	}
	for path, resource := range map[string]string{
		"/iam/v1alpha1/api-keys/" + key.AccessKey: "iam_api_key", "/account/v3/projects": "account_project",
	} {
		status, body := w.as(w.Key("", iam.PrivateAccess).SecretKey, http.MethodGet, path, "")
		want := `{"details":[{"action":"read","resource":"` + resource + `"}],"message":"insufficient permissions","type":"permissions_denied"}`
		if status != http.StatusForbidden || body != want {
			t.Errorf("%s: %d %s, want 403 %s", path, status, body, want)
		}
	}
}
