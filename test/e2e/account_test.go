package e2e_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	account "github.com/scaleway/scaleway-sdk-go/api/account/v3"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	iamapi "github.com/scaleway/scaleway-sdk-go/api/iam/v1alpha1"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/test/await"
)

// A client can read its own key and project, and no others.
func TestAccount_ShowsOwnKeyAndProject(t *testing.T) {
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
		t.Errorf("got key %+v", own)
	}
	api := account.NewProjectAPI(client)
	got := must[*account.Project](t)(api.GetProject(&account.ProjectAPIGetProjectRequest{}))
	if got.ID != p.ID || got.Name != "second" || got.OrganizationID != w.OrganizationID || got.CreatedAt == nil {
		t.Errorf("got project %+v", got)
	}
	for name, test := range map[string]struct {
		request account.ProjectAPIListProjectsRequest
		found   int
	}{
		"all":                            {account.ProjectAPIListProjectsRequest{}, 1},
		"by its name":                    {account.ProjectAPIListProjectsRequest{Name: pointer("second")}, 1},
		"by the name of another project": {account.ProjectAPIListProjectsRequest{Name: pointer("default")}, 0},
		"by its ID":                      {account.ProjectAPIListProjectsRequest{ProjectIDs: []string{p.ID, unknownID}}, 1},
		"by the ID of another project":   {account.ProjectAPIListProjectsRequest{ProjectIDs: []string{w.ProjectID}}, 0},
		"of another organization":        {account.ProjectAPIListProjectsRequest{OrganizationID: unknownID}, 0},
	} {
		list := must[*account.ListProjectsResponse](t)(api.ListProjects(&test.request, scw.WithAllPages()))
		if len(list.Projects) != test.found || int(list.TotalCount) != test.found {
			t.Errorf("%s: got %d projects of %d, want %d", name, len(list.Projects), list.TotalCount, test.found)
		}
	}
	_, err := iamapi.NewAPI(client).GetAPIKey(&iamapi.GetAPIKeyRequest{AccessKey: w.AccessKey})
	if missing, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok || missing.Resource != "api_key" || missing.ResourceID != w.AccessKey {
		t.Errorf("another key: got error %v, want not found", err)
	}
	_, err = api.GetProject(&account.ProjectAPIGetProjectRequest{ProjectID: w.ProjectID})
	if missing, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok || missing.Resource != "project" {
		t.Errorf("another project: got error %v, want not found", err)
	}
	for path, resource := range map[string]string{
		"/iam/v1alpha1/api-keys/" + key.AccessKey: "iam_api_key", "/account/v3/projects": "account_project",
	} {
		status, body := w.as(w.Key("", iam.PrivateAccess).SecretKey, http.MethodGet, path, "")
		want := `{"details":[{"action":"read","resource":"` + resource + `"}],"message":"insufficient permissions","type":"permissions_denied"}`
		if status != http.StatusForbidden || body != want {
			t.Errorf("%s: got %d %s, want 403 %s", path, status, body, want)
		}
	}
}

// The test sends the requests of a Terraform configuration that contains a project.
func TestOrganizationKey_ManagesProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// The key of the first start is an organization key.
	projects := account.NewProjectAPI(w.Client())
	made := must[*account.Project](t)(projects.CreateProject(&account.ProjectAPICreateProjectRequest{Name: "made", Description: "by a configuration"}))
	if made.Name != "made" || made.OrganizationID != w.OrganizationID || made.Description != "by a configuration" || made.Qualification == nil {
		t.Errorf("got project %+v", made)
	}
	_, err := projects.CreateProject(&account.ProjectAPICreateProjectRequest{Name: "made"})
	if failed, ok := errors.AsType[*scw.ResponseError](err); !ok || failed.StatusCode != http.StatusConflict {
		t.Errorf("the same name again: got error %v", err)
	}
	changed := must[*account.Project](t)(projects.UpdateProject(&account.ProjectAPIUpdateProjectRequest{ProjectID: made.ID, Description: pointer("changed")}))
	if changed.Description != "changed" || changed.Name != "made" || !changed.UpdatedAt.After(*made.UpdatedAt) {
		t.Errorf("after the update: got project %+v", changed)
	}
	if listed := must[*account.ListProjectsResponse](t)(projects.ListProjects(&account.ProjectAPIListProjectsRequest{}, scw.WithAllPages())); listed.TotalCount != 2 {
		t.Errorf("got %d projects", listed.TotalCount)
	}
	n := must[*function.Namespace](t)(w.CreateNamespace(&function.CreateNamespaceRequest{Name: "inside", ProjectID: made.ID}))
	must[*function.Namespace](t)(w.WaitForNamespace(&function.WaitForNamespaceRequest{NamespaceID: n.ID, RetryInterval: often}))
	f := must[*function.Function](t)(w.CreateFunction(&function.CreateFunctionRequest{NamespaceID: n.ID, Name: "f", Runtime: "node22", Privacy: function.FunctionPrivacyPrivate}))
	must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID})) //nolint:staticcheck // The SDK marks tokens as deprecated; Jeton supports them.
	if n.ProjectID != made.ID {
		t.Errorf("got a namespace in project %s", n.ProjectID)
	}
	err = projects.DeleteProject(&account.ProjectAPIDeleteProjectRequest{ProjectID: made.ID})
	if failed, ok := errors.AsType[*scw.PreconditionFailedError](err); !ok || failed.Precondition != "project_is_empty" {
		t.Errorf("delete a project with a namespace: got error %v", err)
	}

	// A key of that project can read only that project, and cannot manage projects.
	key := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{Project: made.ID, Permissions: []string{iam.FullAccess}}))
	bound := account.NewProjectAPI(w.ClientOf(key))
	for name, do := range map[string]func() error{
		"create": func() error {
			_, err := bound.CreateProject(&account.ProjectAPICreateProjectRequest{Name: "x", OrganizationID: w.OrganizationID})
			return err
		},
		"update": func() error {
			_, err := bound.UpdateProject(&account.ProjectAPIUpdateProjectRequest{ProjectID: made.ID, Name: pointer("x")})
			return err
		},
		"delete": func() error { return bound.DeleteProject(&account.ProjectAPIDeleteProjectRequest{ProjectID: made.ID}) },
	} {
		if _, ok := errors.AsType[*scw.PermissionsDeniedError](do()); !ok {
			t.Errorf("%s with a key of one project: got error %v", name, do())
		}
	}
	err = bound.DeleteProject(&account.ProjectAPIDeleteProjectRequest{ProjectID: w.ProjectID})
	if _, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok {
		t.Errorf("delete another project: got error %v", err)
	}
	must[admin.APIKey](t)(w.Admin.RevokeKey(t.Context(), key.AccessKey))

	must[*function.Namespace](t)(w.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: n.ID}))
	await.True(t, "the namespace is gone", func() bool {
		_, err := w.GetNamespace(&function.GetNamespaceRequest{NamespaceID: n.ID})
		return err != nil
	})
	if err := projects.DeleteProject(&account.ProjectAPIDeleteProjectRequest{ProjectID: made.ID}); err != nil {
		t.Error(err)
	}
	_, err = projects.GetProject(&account.ProjectAPIGetProjectRequest{ProjectID: made.ID})
	if _, ok := errors.AsType[*scw.ResourceNotFoundError](err); !ok {
		t.Errorf("read the deleted project: got error %v", err)
	}
}

func TestAPIKey_OfSeveralProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c"} {
		must[admin.Project](t)(w.Admin.CreateProject(t.Context(), name))
	}
	key := must[admin.APIKey](t)(w.Admin.CreateKey(t.Context(), admin.CreateKey{Project: "a", Projects: []string{"b"}, Permissions: []string{iam.FullAccess}}))
	client := w.ClientOf(key)
	listed := must[*account.ListProjectsResponse](t)(account.NewProjectAPI(client).ListProjects(&account.ProjectAPIListProjectsRequest{OrderBy: account.ListProjectsRequestOrderByNameDesc}))
	if len(listed.Projects) != 2 || listed.Projects[0].Name != "b" || listed.Projects[1].Name != "a" {
		t.Errorf("got projects %+v", listed.Projects)
	}
	api := function.NewAPI(client)
	for _, p := range listed.Projects {
		must[*function.Namespace](t)(api.CreateNamespace(&function.CreateNamespaceRequest{Name: "n", ProjectID: p.ID}))
	}
	if found := must[*function.ListNamespacesResponse](t)(api.ListNamespaces(&function.ListNamespacesRequest{}, scw.WithAllPages())); found.TotalCount != 2 {
		t.Errorf("got %d namespaces", found.TotalCount)
	}
	_, err := api.CreateNamespace(&function.CreateNamespaceRequest{Name: "n", ProjectID: w.ProjectID})
	if _, ok := errors.AsType[*scw.PermissionsDeniedError](err); !ok {
		t.Errorf("a namespace in a project without permission: got error %v", err)
	}
}
