package functions_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

func TestCreateNamespace_DerivesSlugFromName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		name, slug string
		code       functions.Code
	}{
		"recorded name":     {"tf-tests-function-cron-name-update", "tftestsfunctioncronnabcd1234", ""},
		"upper case":        {"TEST", "testabcd1234", ""},
		"one letter":        {"a", "aabcd1234", ""},
		"empty":             {"", "", functions.InvalidArgument},
		"digit first":       {"1a", "", functions.InvalidArgument},
		"hyphen last":       {"a-", "", functions.InvalidArgument},
		"underscore":        {"a_b", "", functions.InvalidArgument},
		"line break at end": {"ab\n", "", functions.InvalidArgument},
		"too long":          {strings.Repeat("a", 256), "", functions.InvalidArgument},
	}
	w := newWorld(t)
	for name, test := range tests {
		n, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{Name: test.name})
		if test.code != "" {
			wantCode(t, err, test.code)
			continue
		}
		if err != nil || n.Slug != test.slug || n.Status != functions.Pending || n.ProjectID != project.ID || n.RegistryID != "" {
			t.Errorf("%s: got %+v, %v", name, n, err)
		}
	}
}

func TestCreateNamespace_RefusesDuplicateName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.readyNamespace("twice")
	_, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{Name: "twice"})
	wantCode(t, err, functions.AlreadyExists)
	if err.Error() != "Namespace already exist" {
		t.Errorf("got %q, want the recorded text", err)
	}
	amsterdam := paris
	amsterdam.Region = "nl-ams"
	if _, err := w.CreateNamespace(t.Context(), amsterdam, functions.CreateNamespace{Name: "twice"}); err != nil {
		t.Errorf("the same name in another region: %v", err)
	}
}

func TestScope_HidesOtherObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("hidden")
	f := w.newFunction(n, "hidden")
	issued := w.newToken(functions.CreateToken{FunctionID: f.ID})
	foreign := map[string]functions.Scope{
		"another region":  {Region: "nl-ams", ProjectID: project.ID, OrganizationID: project.OrganizationID},
		"another project": {Region: "fr-par", ProjectID: "33333333-3333-4333-8333-333333333333", OrganizationID: project.OrganizationID},
	}
	for name, scope := range foreign {
		for what, call := range map[string]func() error{
			"get namespace": func() error { _, err := w.Namespace(t.Context(), scope, n.ID); return err },
			"update namespace": func() error {
				_, err := w.UpdateNamespace(t.Context(), scope, n.ID, functions.UpdateNamespace{})
				return err
			},
			"delete namespace": func() error { _, err := w.DeleteNamespace(t.Context(), scope, n.ID); return err },
			"get function":     func() error { _, err := w.Function(t.Context(), scope, f.ID); return err },
			"update function": func() error {
				_, err := w.UpdateFunction(t.Context(), scope, f.ID, functions.UpdateFunction{})
				return err
			},
			"deploy function": func() error { _, err := w.DeployFunction(t.Context(), scope, f.ID); return err },
			"delete function": func() error { _, err := w.DeleteFunction(t.Context(), scope, f.ID); return err },
			"get token":       func() error { _, err := w.Token(t.Context(), scope, issued.ID); return err },
			"delete token":    func() error { _, err := w.DeleteToken(t.Context(), scope, issued.ID); return err },
			"create function": func() error {
				_, err := w.CreateFunction(t.Context(), scope, functions.CreateFunction{NamespaceID: n.ID, Name: "f", Runtime: "go126"})
				return err
			},
			"create token": func() error {
				_, err := w.CreateToken(t.Context(), scope, functions.CreateToken{NamespaceID: n.ID})
				return err
			},
		} {
			if err := call(); functions.CodeOf(err) != functions.NotFound || err == nil {
				t.Errorf("%s, %s: got %v, want not found", name, what, err)
			}
		}
		_, total, err := w.Namespaces(t.Context(), scope, functions.Filter{}, functions.Page{})
		if total != 0 || err != nil {
			t.Errorf("%s: got %d namespaces, %v, want none", name, total, err)
		}
	}
	_, total, err := w.Namespaces(t.Context(), paris, functions.Filter{ProjectID: "33333333-3333-4333-8333-333333333333"}, functions.Page{})
	if total != 0 || err != nil {
		t.Errorf("a filter for another project: got %d, %v, want none", total, err)
	}
}

func TestUpdateNamespace_MergesSecretsAndReplacesVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := secret.New("1"), secret.New("2")
	n, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{
		Name: "variables", Variables: map[string]string{"A": "1", "B": "2"},
		Secrets: []functions.SecretChange{{Key: "X", Value: &first}, {Key: "Y", Value: &first}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.UpdateNamespace(t.Context(), paris, n.ID, functions.UpdateNamespace{})
	wantCode(t, err, functions.TransientState)
	n.Status = functions.Ready
	w.put(n)

	n, err = w.UpdateNamespace(t.Context(), paris, n.ID, functions.UpdateNamespace{
		Variables: &map[string]string{"C": "3"},
		Secrets:   []functions.SecretChange{{Key: "X"}, {Key: "Z", Value: &second}},
	})
	if err != nil || n.Status != functions.Pending {
		t.Fatalf("got the status %s, %v, want pending", n.Status, err)
	}
	if got := slices.Collect(maps.Keys(n.Variables)); !slices.Equal(got, []string{"C"}) {
		t.Errorf("the variables are %v, want only C", got)
	}
	if len(n.Secrets) != 2 || n.Secrets[0].Key != "Y" || n.Secrets[0].Hash != "hash of 1" || n.Secrets[1].Key != "Z" || n.Secrets[1].Hash != "hash of 2" {
		t.Errorf("the secrets are %+v, want Y unchanged and Z", n.Secrets)
	}
}

func TestUpdateNamespace_StaysReadyWithoutNewVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("ready")
	w.clock = start.Add(time.Minute)
	text, tags := "text", []string{"a"}
	n, err := w.UpdateNamespace(t.Context(), paris, n.ID, functions.UpdateNamespace{Description: &text, Tags: &tags})
	if err != nil || n.Status != functions.Ready || n.Description != text || !n.UpdatedAt.Equal(w.clock) || !n.CreatedAt.Equal(start) {
		t.Errorf("got %+v, %v", n, err)
	}
}

func TestCreateNamespace_RefusesInvalidFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	long, value := secret.New(strings.Repeat("x", 65537)), secret.New("x")
	many := map[string]string{}
	for i := range 201 {
		many["V"+strconv.Itoa(i)] = ""
	}
	for name, c := range map[string]functions.CreateNamespace{
		"reserved name":        {Variables: map[string]string{"SCW_PUBLIC": "x"}},
		"reserved secret":      {Secrets: []functions.SecretChange{{Key: "SCW_HANDLER_NAME", Value: &value}}},
		"empty name":           {Variables: map[string]string{"": "x"}},
		"name with =":          {Variables: map[string]string{"A=B": "x"}},
		"long value":           {Variables: map[string]string{"A": strings.Repeat("x", 1001)}},
		"NUL in value":         {Variables: map[string]string{"A": "x\x00y"}},
		"long secret":          {Secrets: []functions.SecretChange{{Key: "A", Value: &long}}},
		"secret given twice":   {Secrets: []functions.SecretChange{{Key: "A", Value: &value}, {Key: "A", Value: &value}}},
		"too many variables":   {Variables: many},
		"too long tag":         {Tags: []string{strings.Repeat("x", 1001)}},
		"too many tags":        {Tags: make([]string, 101)},
		"too long description": {Description: strings.Repeat("x", 4097)},
		"another project":      {ProjectID: "33333333-3333-4333-8333-333333333333"},
	} {
		c.Name = "rules"
		if _, err := w.CreateNamespace(t.Context(), paris, c); err == nil || functions.CodeOf(err) == functions.Internal {
			t.Errorf("%s: got %v, want an error for the caller", name, err)
		}
	}
	_, total, err := w.Namespaces(t.Context(), paris, functions.Filter{}, functions.Page{})
	if total != 0 || err != nil {
		t.Errorf("refused requests created %d namespaces, %v", total, err)
	}
}

func TestPage_HasBoundsAndDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, page := range map[string]functions.Page{
		"size 101":         {Size: 101},
		"negative size":    {Size: -1},
		"negative page":    {Number: -1},
		"unknown order":    {OrderBy: "status_asc"},
		"SQL in the order": {OrderBy: "created_at_asc; DROP TABLE tokens"},
	} {
		_, _, err := w.Namespaces(t.Context(), paris, functions.Filter{}, page)
		if err == nil || functions.CodeOf(err) != functions.InvalidArgument {
			t.Errorf("%s: got %v, want the code invalid_argument", name, err)
		}
	}
	for range 25 {
		w.readyNamespace("n" + w.config.NewID()[24:])
	}
	found, total, err := w.Namespaces(t.Context(), paris, functions.Filter{}, functions.Page{})
	if len(found) != 20 || total != 25 || err != nil {
		t.Errorf("the default page has %d of %d, %v, want 20 of 25", len(found), total, err)
	}
}

func TestCreateNamespace_HasQuota(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.configure(func(c *functions.Config) { c.Limits.Namespaces = 1 })
	w.readyNamespace("one")
	_, err := w.CreateNamespace(t.Context(), paris, functions.CreateNamespace{Name: "two"})
	wantCode(t, err, functions.QuotaExceeded)
}
