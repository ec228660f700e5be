package functions_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/secret"
)

func TestQuotas_ApplyPerFunctionAndProject(t *testing.T) {
	t.Parallel()
	const perFunction, perProject = 2, 3
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
		w.configure(func(c *functions.Config) {
			l := &c.Limits
			l.Tokens, l.Crons, l.Triggers, l.Domains = perFunction, perFunction, perFunction, perFunction
			l.ProjectTokens, l.ProjectCrons, l.ProjectTriggers, l.ProjectDomains = perProject, perProject, perProject, perProject
		})
		first, second := w.functionOf(paris, "first"), w.functionOf(paris, "second")
		for i := range perFunction {
			if err := create(w, first, i); err != nil {
				t.Fatalf("%s %d: %v", noun, i, err)
			}
		}
		wantQuota(t, create(w, first, perFunction), noun, perFunction, "function")
		if err := create(w, second, 0); err != nil {
			t.Fatalf("%s of another function: %v", noun, err)
		}
		wantQuota(t, create(w, second, 1), noun, perProject, "project")
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
