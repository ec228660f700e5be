package functions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

// TestStoredForm_IsUnchanged compares the JSON of objects with a file. A renamed field
// would be lost from existing databases.
func TestStoredForm_IsUnchanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.readyNamespace("stored")
	f := w.newFunction(n, "f")
	f.Revision = &functions.Revision{ID: "r", Launch: []byte("{}"), Variables: map[string]string{"A": "b"}, Secrets: map[string][]byte{"S": {1}}}
	issued := w.newToken(functions.CreateToken{NamespaceID: n.ID, ExpiresAt: start})
	cron, err := w.CreateCron(t.Context(), paris, functions.CreateCron{FunctionID: f.ID, Schedule: "@daily", Args: []byte(`{"a": 1}`)})
	if err != nil {
		t.Fatal(err)
	}
	domain, err := w.CreateDomain(t.Context(), paris, f.ID, "api.example.com")
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{describe(n), describe(f), describe(issued.Token), describe(cron), describe(domain)}
	for _, source := range []functions.CreateTrigger{
		{SQS: &functions.SQSQueue{Queue: "q"}},
		{NATS: &functions.NATSSubject{Subject: "s"}},
		{ExternalSQS: &functions.ExternalSQSQueue{Endpoint: "https://e", QueueURL: "https://e/q", AccessKey: "AK"}, SecretKey: secret.New("SK")},
	} {
		source.FunctionID, source.Name = f.ID, "t"
		trigger, err := w.CreateTrigger(t.Context(), paris, source)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, describe(trigger))
	}
	got := strings.Join(lines, "\n") + "\n"
	path := filepath.Join("testdata", "stored.jsonl")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("objects are stored as\n%s\nwant\n%s\nadd new fields to %s; to rename or remove a field, write a migration", got, want, path)
	}
}
