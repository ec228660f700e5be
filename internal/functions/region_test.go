package functions_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

var (
	otherProject = iam.Project{ID: "33333333-3333-4333-8333-333333333333", OrganizationID: project.OrganizationID, Name: "other"}
	other        = functions.Scope{Region: "fr-par", ProjectID: otherProject.ID, OrganizationID: project.OrganizationID}
	both         = functions.Scope{
		Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, Projects: []string{project.ID, otherProject.ID},
	}
)

// functionOf creates a function in the default project of a scope.
func (w *world) functionOf(scope functions.Scope, name string) functions.Function {
	w.t.Helper()
	n, err := w.CreateNamespace(w.t.Context(), scope, functions.CreateNamespace{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	n.Status, n.PublicKey, n.PrivateKey = functions.Ready, "PEM", []byte{1}
	w.put(n)
	f, err := w.CreateFunction(w.t.Context(), scope, functions.CreateFunction{NamespaceID: n.ID, Name: name, Runtime: "go126"})
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestScope_CoversSeveralProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	mine, theirs := w.functionOf(paris, "mine"), w.functionOf(other, "theirs")
	for name, test := range map[string]struct {
		scope  functions.Scope
		filter functions.Filter
		want   []string
	}{
		"one project":               {paris, functions.Filter{}, []string{"mine"}},
		"the other":                 {other, functions.Filter{}, []string{"theirs"}},
		"both":                      {both, functions.Filter{}, []string{"mine", "theirs"}},
		"one of both":               {both, functions.Filter{ProjectID: otherProject.ID}, []string{"theirs"}},
		"one that is not visible":   {paris, functions.Filter{ProjectID: otherProject.ID}, nil},
		"no project at all":         {functions.Scope{Region: "fr-par", Projects: []string{}}, functions.Filter{}, nil},
		"another organization's":    {both, functions.Filter{OrganizationID: mine.ID}, nil},
		"the caller's organization": {both, functions.Filter{OrganizationID: project.OrganizationID}, []string{"mine", "theirs"}},
	} {
		found, total, err := w.Namespaces(t.Context(), test.scope, test.filter, functions.Page{})
		var got []string
		for _, n := range found {
			got = append(got, n.Name)
		}
		if err != nil || !slices.Equal(got, test.want) || total != len(test.want) {
			t.Errorf("%s: got %v of %d, %v, want %v", name, got, total, err, test.want)
		}
	}
	n, err := w.CreateNamespace(t.Context(), both, functions.CreateNamespace{Name: "named", ProjectID: otherProject.ID})
	if err != nil || n.ProjectID != otherProject.ID {
		t.Errorf("got the namespace %+v, %v", n, err)
	}
	token, err := w.CreateToken(t.Context(), both, functions.CreateToken{FunctionID: theirs.ID})
	if err != nil || token.ProjectID != otherProject.ID {
		t.Errorf("got the token %+v, %v", token, err)
	}
	if _, err := w.Function(t.Context(), paris, theirs.ID); !functions.IsNotFound(err) {
		t.Errorf("got %v, want not found for a function of another project", err)
	}
}
