package functions_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

func TestCreateTrigger_RefusesSourcesOfOtherProjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(otherProject)
	f := w.functionOf(paris, "mine")
	const missing = "44444444-4444-4444-8444-444444444444"
	for name, test := range map[string]struct {
		scope   functions.Scope
		project string
		code    functions.Code
		shared  bool
	}{
		"no project":                    {paris, "", "", false},
		"the project of the function":   {paris, project.ID, "", false},
		"another project":               {paris, otherProject.ID, functions.PermissionDenied, false},
		"a missing project":             {paris, missing, functions.PermissionDenied, false},
		"another that the scope covers": {both, otherProject.ID, "", true},
	} {
		for source, create := range map[string]functions.CreateTrigger{
			"SQS":  {SQS: &functions.SQSQueue{Queue: "q", ProjectID: test.project}},
			"NATS": {NATS: &functions.NATSSubject{Subject: "s", AccountID: missing, ProjectID: test.project}},
		} {
			create.FunctionID, create.Name = f.ID, "t"
			got, err := w.CreateTrigger(t.Context(), test.scope, create)
			if test.code != "" {
				wantCode(t, err, test.code)
				continue
			}
			if err != nil || got.ProjectID != project.ID || got.SharedSource != test.shared || !got.OwnsSource() {
				t.Errorf("%s, %s: got %+v, %v", name, source, got, err)
			}
		}
	}
	// An earlier version accepted such a trigger.
	stolen := functions.Trigger{ProjectID: project.ID, SQS: &functions.SQSQueue{ProjectID: otherProject.ID}}
	if stolen.OwnsSource() {
		t.Error("a trigger owns the queue of another project")
	}
}

func TestUpdateTrigger_RequiresKeyForOtherEndpoint(t *testing.T) {
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

func TestDeleteTrigger_AnswersWithoutOldError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.newFunction(w.readyNamespace("triggers"), "f")
	failed := functions.Trigger{
		ID: w.config.NewID(), Region: f.Region, ProjectID: f.ProjectID, NamespaceID: f.NamespaceID, FunctionID: f.ID,
		Status: functions.Failed, ErrorMessage: "no such queue",
	}
	w.put(failed)
	if got, err := w.DeleteTrigger(t.Context(), paris, failed.ID); err != nil || got.Status != functions.Deleting || got.ErrorMessage != "" {
		t.Errorf("got %+v, %v, want no message", got, err)
	}
}
