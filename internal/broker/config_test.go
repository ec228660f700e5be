package broker_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/broker"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
)

const hidden = "correct-horse-battery-staple"

func load(t *testing.T, content string) (broker.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "brokers.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return broker.Load(path)
}

func TestCheck_MatchesProjectsAccountsAndRegions(t *testing.T) {
	t.Parallel()
	c, err := load(t, `
nats:
- account: 11111111-1111-4111-8111-111111111111
  projects: ["*"]
  region: nl-ams
  url: nats://one:4222,nats://two:4222
- project: 22222222-2222-4222-8222-222222222222
  url: tls://three:4222
  credentials: /etc/jeton/nats.creds
sqs:
- region: fr-par
  projects: [22222222-2222-4222-8222-222222222222, any]
  endpoint: https://sqs.example.org
  access_key: AK
  secret_key: `+hidden+`
`)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, hidden) {
		t.Errorf("got %s, want no secret key", text)
	}
	if got := c.SQS[0].SecretKey.Reveal(); got != hidden {
		t.Errorf("got secret key %q, want %q", got, hidden)
	}
	const account, project = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
	for name, test := range map[string]struct {
		trigger functions.Trigger
		served  bool
	}{
		"unlisted project":           {functions.Trigger{SQS: &functions.SQSQueue{ProjectID: "other", Region: "fr-par"}}, false},
		"no project":                 {functions.Trigger{SQS: &functions.SQSQueue{Region: "fr-par"}}, false},
		"queue of a foreign project": {functions.Trigger{ProjectID: "mine", SQS: &functions.SQSQueue{ProjectID: project, Region: "fr-par"}}, false},

		"account":                   {functions.Trigger{NATS: &functions.NATSSubject{AccountID: account, Region: "nl-ams"}}, true},
		"account in another region": {functions.Trigger{NATS: &functions.NATSSubject{AccountID: account, Region: "fr-par"}}, false},
		"project":                   {functions.Trigger{NATS: &functions.NATSSubject{AccountID: "other", ProjectID: project, Region: "fr-par"}}, true},
		"other account and project": {functions.Trigger{NATS: &functions.NATSSubject{AccountID: "other", ProjectID: "other", Region: "nl-ams"}}, false},
		"queue in the region":       {functions.Trigger{SQS: &functions.SQSQueue{ProjectID: "any", Region: "fr-par"}}, true},
		"queue in another region":   {functions.Trigger{SQS: &functions.SQSQueue{ProjectID: "any", Region: "pl-waw"}}, false},
		"external queue":            {functions.Trigger{ExternalSQS: &functions.ExternalSQSQueue{}}, true},
	} {
		// Only the case of a foreign project sets a project.
		if test.trigger.ProjectID == "" {
			test.trigger.SharedSource = true
		}
		err := newBrokers(t, broker.BrokersConfig{Config: c, Opener: plainOpener{}}).Check(test.trigger)
		if (err == nil) != test.served {
			t.Errorf("%s: got %v, want served %t", name, err, test.served)
		}
		if !test.served {
			if _, err := newBrokers(t, broker.BrokersConfig{Config: c, Opener: plainOpener{}}).Open(t.Context(), test.trigger); !errors.Is(err, schedule.ErrNoBroker) {
				t.Errorf("%s: Open() = %v, want %v", name, err, schedule.ErrNoBroker)
			}
		}
		if err := newBrokers(t, broker.BrokersConfig{Opener: plainOpener{}}).Check(test.trigger); err != nil && test.trigger.OwnsSource() {
			t.Errorf("%s without any broker: got %v, want nil", name, err)
		}
	}
}

func TestLoad_RefusesBadFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, want string }{
		"not YAML":        {"nats: [", "docs/triggers.md"},
		"unknown field":   {"nats:\n- urls: nats://a:1\n", "docs/triggers.md"},
		"unknown list":    {"kafka:\n- url: a\n", "docs/triggers.md"},
		"no host":         {"nats:\n- project: p\n  url: localhost\n", "entry 1 of nats: url must be like"},
		"no endpoint":     {"sqs:\n- endpoint: https://a\n  project: p\n- region: fr-par\n  project: p\n", "entry 2 of sqs: endpoint must be like"},
		"other protocol":  {"sqs:\n- endpoint: file:///etc\n  project: p\n", "entry 1 of sqs"},
		"key in bad YAML": {"sqs:\n- secret_key: " + hidden + "\n  endpoint: [\n", "docs/triggers.md"},
		"no project":      {"nats:\n- url: nats://a:1\n", "has no projects"},
		"no SQS project":  {"sqs:\n- endpoint: https://a\n  projects: []\n", "entry 1 of sqs has no projects"},
		"too large":       {"# " + strings.Repeat("x", 1<<20), "larger than"},
	} {
		_, err := load(t, test.content)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: got error %v, want no secret key in it", name, err)
		}
	}
	if _, err := broker.Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("got no error for a missing file")
	}
}

func newBrokers(t *testing.T, c broker.BrokersConfig) *broker.Brokers {
	t.Helper()
	b, err := broker.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNew_RefusesMissingOpener(t *testing.T) {
	t.Parallel()
	if b, err := broker.New(broker.BrokersConfig{Anywhere: true}); b != nil || err == nil {
		t.Errorf("got %v, %v, want an error", b, err)
	}
}
