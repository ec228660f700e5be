package functions_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/secret"
)

var (
	otherProject = iam.Project{ID: "33333333-3333-4333-8333-333333333333", OrganizationID: project.OrganizationID, Name: "other"}
	other        = functions.Scope{Region: "fr-par", ProjectID: otherProject.ID, OrganizationID: project.OrganizationID}
	both         = functions.Scope{
		Region: "fr-par", ProjectID: project.ID, OrganizationID: project.OrganizationID, Projects: []string{project.ID, otherProject.ID},
	}
)

// functionOf makes a function in a scope's default project.
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

func TestCreateTrigger_RefusesTheMessagesOfOtherProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	f := w.functionOf(paris, "mine")
	const nobody = "44444444-4444-4444-8444-444444444444"
	for name, test := range map[string]struct {
		scope   functions.Scope
		project string
		code    functions.Code
		shared  bool
	}{
		"none is the function's":          {paris, "", "", false},
		"the function's":                  {paris, project.ID, "", false},
		"another project":                 {paris, otherProject.ID, functions.PermissionDenied, false},
		"no project at all":               {paris, nobody, functions.PermissionDenied, false},
		"another that the caller can see": {both, otherProject.ID, "", true},
	} {
		for source, create := range map[string]functions.CreateTrigger{
			"SQS":  {SQS: &functions.SQSQueue{Queue: "q", ProjectID: test.project}},
			"NATS": {NATS: &functions.NATSSubject{Subject: "s", AccountID: nobody, ProjectID: test.project}},
		} {
			create.FunctionID, create.Name = f.ID, "t"
			got, err := w.CreateTrigger(t.Context(), test.scope, create)
			if test.code != "" {
				wantCode(t, err, test.code)
				continue
			}
			if err != nil || got.ProjectID != project.ID || got.SharedSource != test.shared || !got.OwnsSource() {
				t.Errorf("%s, %s: %+v, %v", name, source, got, err)
			}
		}
	}
	// One that an earlier version accepted.
	stolen := functions.Trigger{ProjectID: project.ID, SQS: &functions.SQSQueue{ProjectID: otherProject.ID}}
	if stolen.OwnsSource() {
		t.Error("a trigger owns the queue of another project")
	}
}

// zone is a DNS zone: the owners that each hostname has been assigned to.
type zone map[string][]string

var errNoAnswer = errors.New("the server does not answer")

func (z zone) Proof(_ context.Context, hostname, domainName, projectID string) (string, error) {
	owners := z[hostname]
	switch {
	case slices.Contains(owners, "broken"):
		return "", errNoAnswer
	case slices.Contains(owners, domainName) || slices.Contains(owners, projectID):
		return "", nil
	}
	return hostname + " is assigned to nobody", nil
}

func TestCreateDomain_GivesTheHostnameToItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	names := zone{}
	w.Names = names
	mine, theirs := w.functionOf(paris, "mine"), w.functionOf(other, "theirs")
	const hostname = "api.example.com"
	create := func(scope functions.Scope, f functions.Function) (functions.Domain, error) {
		return w.CreateDomain(w.t.Context(), scope, f.ID, hostname)
	}
	_, err := create(paris, mine)
	wantCode(t, err, functions.InvalidArgument)

	names[hostname] = []string{mine.DomainName}
	first, err := create(paris, mine)
	if err != nil {
		t.Fatal(err)
	}
	_, err = create(other, theirs)
	wantCode(t, err, functions.InvalidArgument)

	// Both have proof: the first claim stands, and so it does while the DNS does
	// not answer.
	names[hostname] = []string{mine.DomainName, otherProject.ID}
	_, err = create(other, theirs)
	wantCode(t, err, functions.AlreadyExists)

	// The owner has assigned the hostname to another project.
	names[hostname] = []string{theirs.DomainName}
	second, err := create(other, theirs)
	if err != nil || second.ProjectID != otherProject.ID {
		t.Fatalf("%+v, %v", second, err)
	}
	_, err = w.CustomDomain(t.Context(), paris, first.ID)
	wantCode(t, err, functions.NotFound)

	// Within a project nothing is taken over.
	names[hostname] = []string{otherProject.ID}
	_, err = create(other, theirs)
	wantCode(t, err, functions.AlreadyExists)
}

func TestCreateDomain_KeepsAClaimThatCannotBeChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	mine, theirs := w.functionOf(paris, "mine"), w.functionOf(other, "theirs")
	if _, err := w.CreateDomain(t.Context(), paris, mine.ID, "api.example.com"); err != nil {
		t.Fatal(err)
	}
	w.Names = zone{"api.example.com": {"broken"}}
	_, err := w.CreateDomain(t.Context(), other, theirs.ID, "api.example.com")
	wantCode(t, err, functions.InvalidArgument)
}

func TestScope_OfSeveralProjects(t *testing.T) {
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
			t.Errorf("%s: %v of %d, %v, want %v", name, got, total, err, test.want)
		}
	}
	n, err := w.CreateNamespace(t.Context(), both, functions.CreateNamespace{Name: "named", ProjectID: otherProject.ID})
	if err != nil || n.ProjectID != otherProject.ID {
		t.Errorf("%+v, %v", n, err)
	}
	token, err := w.CreateToken(t.Context(), both, functions.CreateToken{FunctionID: theirs.ID})
	if err != nil || token.ProjectID != otherProject.ID {
		t.Errorf("%+v, %v", token, err)
	}
	if _, err := w.Function(t.Context(), paris, theirs.ID); !functions.IsNotFound(err) {
		t.Errorf("got %v, want that another project's function is not found", err)
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	const few, all = 2, 3
	for noun, create := range map[string]func(*world, functions.Function, int) error{
		"token": func(w *world, f functions.Function, _ int) error {
			_, err := w.CreateToken(w.t.Context(), paris, functions.CreateToken{FunctionID: f.ID})
			return err
		},
		"cron": func(w *world, f functions.Function, _ int) error {
			_, err := w.CreateCron(w.t.Context(), paris, functions.CreateCron{FunctionID: f.ID, Schedule: "@daily"})
			return err
		},
		"trigger": func(w *world, f functions.Function, _ int) error {
			_, err := w.CreateTrigger(w.t.Context(), paris, functions.CreateTrigger{
				FunctionID: f.ID, Name: "t", ExternalSQS: &functions.ExternalSQSQueue{Endpoint: "https://e", QueueURL: "https://e/q", AccessKey: "AK"},
				SecretKey: secret.New("SK"),
			})
			return err
		},
		"domain": func(w *world, f functions.Function, i int) error {
			_, err := w.CreateDomain(w.t.Context(), paris, f.ID, fmt.Sprintf("h%d-%s.example.com", i, f.ID))
			return err
		},
	} {
		w := newWorld(t)
		w.Limits.Tokens, w.Limits.Crons, w.Limits.Triggers, w.Limits.Domains = few, few, few, few
		w.Limits.ProjectTokens, w.Limits.ProjectCrons, w.Limits.ProjectTriggers, w.Limits.ProjectDomains = all, all, all, all
		first, second := w.functionOf(paris, "first"), w.functionOf(paris, "second")
		for i := range few {
			if err := create(w, first, i); err != nil {
				t.Fatalf("%s %d: %v", noun, i, err)
			}
		}
		wantQuota(t, create(w, first, few), noun, few, "function")
		if err := create(w, second, 0); err != nil {
			t.Fatalf("%s of another function: %v", noun, err)
		}
		wantQuota(t, create(w, second, 1), noun, all, "project")
	}
}

func wantQuota(t *testing.T, err error, noun string, most int, within string) {
	t.Helper()
	var failed *functions.Error
	want := fmt.Sprintf("quota exceeded: at most %d %ss per %s", most, noun, within)
	if !errors.As(err, &failed) || failed.Code != functions.QuotaExceeded || failed.Message != want || failed.Quota != most {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestUpdateTrigger_AsksForTheKeyOfAnotherEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.functionOf(paris, "f")
	made, err := w.CreateTrigger(t.Context(), paris, functions.CreateTrigger{
		FunctionID: f.ID, Name: "t", ExternalSQS: &functions.ExternalSQSQueue{Endpoint: "https://e", QueueURL: "https://e/q", AccessKey: "AK"},
		SecretKey: secret.New("SK"),
	})
	if err != nil {
		t.Fatal(err)
	}
	key := secret.New("other")
	for name, test := range map[string]struct {
		queue functions.ExternalSQSQueue
		key   *secret.String
		code  functions.Code
	}{
		"another queue":                     {functions.ExternalSQSQueue{QueueURL: "https://e/other"}, nil, ""},
		"another endpoint":                  {functions.ExternalSQSQueue{Endpoint: "https://thief"}, nil, functions.InvalidArgument},
		"another endpoint with its own key": {functions.ExternalSQSQueue{Endpoint: "https://other"}, &key, ""},
	} {
		_, err := w.UpdateTrigger(t.Context(), paris, made.ID, functions.UpdateTrigger{ExternalSQS: &test.queue, SecretKey: test.key})
		if test.code != "" {
			wantCode(t, err, test.code)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
