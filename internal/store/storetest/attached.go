package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

func cronOf(n int) functions.Cron {
	return functions.Cron{
		ID: id(7, n), Region: "fr-par", ProjectID: project.ID, FunctionID: id(4, 1), Name: "cron", Schedule: "@daily",
		Args: json.RawMessage(`{"big":12345678901234567890}`), Status: functions.Ready,
		CreatedAt: epoch.Add(time.Duration(n) * time.Second), NextAfter: epoch.Add(time.Hour),
	}
}

func triggerOf(n int) functions.Trigger {
	return functions.Trigger{
		ID: id(8, n), Region: "fr-par", ProjectID: project.ID, NamespaceID: id(3, 1), FunctionID: id(4, 1), Name: "trigger",
		Status: functions.Failed, ErrorMessage: "no such queue", CreatedAt: epoch.Add(time.Duration(n) * time.Second),
		ExternalSQS: &functions.ExternalSQSQueue{Endpoint: "https://sqs.example.com", QueueURL: "https://sqs.example.com/1/q", AccessKey: "AK", Sealed: []byte{0, 255}},
	}
}

func domainOf(n int) functions.Domain {
	return functions.Domain{
		ID: id(9, n), Region: "fr-par", ProjectID: project.ID, FunctionID: id(4, 1), Hostname: fmt.Sprintf("%d.example.com", 9-n),
		Status: functions.Ready, CreatedAt: epoch.Add(time.Duration(n) * time.Second),
	}
}

// keepsAttached stores crons, triggers and domains.
func keepsAttached(t *testing.T, open func(*testing.T, string) store.Store) {
	s := open(t, "attached")
	put(t, s, project, namespace(1), theFunction())
	for n := range 3 {
		put(t, s, cronOf(n), triggerOf(n), domainOf(n))
	}
	of := functions.Filter{FunctionID: id(4, 1)}
	view(t, s, func(tx store.Tx) error {
		c, err := tx.Cron(id(7, 1))
		equal(t, "cron", c, cronOf(1))
		r, err2 := tx.Trigger(id(8, 1))
		equal(t, "trigger", r, triggerOf(1))
		d, err3 := tx.Domain(id(9, 1))
		equal(t, "domain", d, domainOf(1))
		crons, total, err4 := tx.Crons(of, functions.Page{Number: 2, Size: 2})
		equal(t, "second page of crons", crons, []functions.Cron{cronOf(2)})
		equal(t, "number of crons", total, 3)
		triggers, _, err5 := tx.Triggers(functions.Filter{NamespaceID: id(3, 1), Region: "nl-ams"}, functions.Page{})
		equal(t, "triggers of another region", len(triggers), 0)
		byName, _, err6 := tx.Domains(of, functions.Page{OrderBy: "hostname_asc"})
		equal(t, "domains by hostname", byName, []functions.Domain{domainOf(2), domainOf(1), domainOf(0)})
		one, _, err7 := tx.Domains(functions.Filter{Hostname: "9.example.com"}, functions.Page{})
		equal(t, "the domain of a hostname", one, []functions.Domain{domainOf(0)})
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
	same := domainOf(4)
	same.Hostname = domainOf(0).Hostname
	if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(same) }); err == nil {
		t.Error("Update() = nil for a second domain with the same hostname")
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Delete(cronOf(1)), tx.Delete(triggerOf(1)), tx.Delete(domainOf(1)))
	}); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(tx store.Tx) error {
		_, err := tx.Cron(id(7, 1))
		_, err2 := tx.Trigger(id(8, 1))
		_, err3 := tx.Domain(id(9, 1))
		for want, got := range map[string]error{"Cron was not found": err, "Trigger was not found": err2, "Domain was not found": err3} {
			if functions.CodeOf(got) != functions.NotFound || got.Error() != want {
				t.Errorf("got %v, want %q", got, want)
			}
		}
		return nil
	})
}
