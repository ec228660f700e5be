package e2e_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
	"github.com/scaleway/scaleway-sdk-go/scw"
)

// bareFunction creates a function without code.
func (w *world) bareFunction(name string) *function.Function {
	w.t.Helper()
	n := w.namespace(name)
	return must[*function.Function](w.t)(w.CreateFunction(python(n.ID, name)))
}

// wantRefusal fails unless the answer has the status and its body contains the text.
func wantRefusal(t *testing.T, what string, status int, body string, want int, text string) {
	t.Helper()
	if status != want || !strings.Contains(body, text) {
		t.Errorf("%s: got %d %s, want %d and %q", what, status, body, want, text)
	}
}

func TestCron_CreateUpdateDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.bareFunction("cron")
	_, _, created := w.api(http.MethodPost, "/crons", `{"function_id":"`+f.ID+`","schedule":"*/5 * * * *","args":{ "big": 12345678901234567890, "list": [1, 2] }}`)
	if got := keys(t, created); got != "id,function_id,schedule,args,status,name" {
		t.Errorf("got keys of a cron %s", got)
	}
	wantMatch(t, "a new cron", created, `"args":\{"big":12345678901234567890,"list":\[1,2\]\},"status":"pending","name":"cron-[0-9a-f-]{36}"\}$`)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(created), &made); err != nil {
		t.Fatal(err)
	}
	c := must[*function.Cron](t)(w.WaitForCron(&function.WaitForCronRequest{CronID: made.ID, RetryInterval: often}))
	if c.Status != function.CronStatusReady {
		t.Errorf("got cron status %s, want ready", c.Status)
	}
	other := w.bareFunction("other")
	c = must[*function.Cron](t)(w.UpdateCron(&function.UpdateCronRequest{
		CronID: c.ID, FunctionID: &other.ID, Schedule: scw.StringPtr("@hourly"), Name: scw.StringPtr("renamed"), Args: &scw.JSONObject{"a": "b"},
	}))
	if c.Status != function.CronStatusPending || c.FunctionID != other.ID || c.Schedule != "@hourly" || c.Name != "renamed" {
		t.Errorf("after the update: got cron %+v", c)
	}
	_, _, unchanged := w.api(http.MethodPatch, "/crons/"+c.ID, `{"args":null}`)
	wantMatch(t, "a change of nothing", unchanged, `"args":\{"a":"b"\}`)
	listed := must[*function.ListCronsResponse](t)(w.ListCrons(&function.ListCronsRequest{FunctionID: other.ID}, scw.WithAllPages()))
	if listed.TotalCount != 1 || listed.Crons[0].ID != c.ID {
		t.Errorf("got list %+v", listed)
	}
	deleted := must[*function.Cron](t)(w.DeleteCron(&function.DeleteCronRequest{CronID: c.ID}))
	if deleted.Status != function.CronStatusDeleting {
		t.Errorf("got status %s of the deleted cron", deleted.Status)
	}
	status, _, body := w.api(http.MethodGet, "/crons/"+c.ID, "")
	if status != http.StatusNotFound || body != `{"message":"Cron was not found"}` {
		t.Errorf("read the deleted cron: got %d %s", status, body)
	}

	for what, schedule := range map[string]string{
		"no cron expression": "every day", "six fields": "* * * * * *", "a time zone": "TZ=Europe/Paris 0 0 * * *",
		"@every": "@every 5s", "@reboot": "@reboot", "a minute too late": "60 * * * *", "none": "", "a long one": strings.Repeat("1,", 200) + "1 * * * *",
	} {
		status, _, body := w.api(http.MethodPost, "/crons", `{"function_id":"`+f.ID+`","schedule":"`+schedule+`"}`)
		wantRefusal(t, what, status, body, http.StatusBadRequest, `"argument_name":"schedule"`)
	}
	for what, args := range map[string]string{"a list": "[]", "a text": `"x"`, "too much": `{"a":"` + strings.Repeat("x", 70_000) + `"}`} {
		status, _, body := w.api(http.MethodPost, "/crons", `{"function_id":"`+f.ID+`","schedule":"@daily","args":`+args+`}`)
		wantRefusal(t, what, status, body, http.StatusBadRequest, `"argument_name":"args"`)
	}
	status, _, body = w.api(http.MethodPost, "/crons", `{"function_id":"`+made.ID+`","schedule":"@daily"}`)
	wantRefusal(t, "no such function", status, body, http.StatusNotFound, "Function was not found")
	status, _, body = w.api(http.MethodGet, "/crons", "")
	wantRefusal(t, "a list of all", status, body, http.StatusBadRequest, `"argument_name":"function_id"`)
}

func TestTrigger_CreateUpdateDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.bareFunction("trigger")
	_, _, created := w.api(http.MethodPost, "/triggers", `{"name":"q","function_id":"`+f.ID+`","scw_sqs_config":{"queue":"jobs","mnq_project_id":"`+w.ProjectID+`","mnq_region":"fr-par"}}`)
	if got := keys(t, created); got != "id,name,description,function_id,input_type,status,error_message,scw_sqs_config" {
		t.Errorf("got keys of a trigger %s", got)
	}
	wantMatch(t, "a new trigger", created, `"input_type":"scw_sqs","status":"creating","error_message":null,"scw_sqs_config":\{"queue":"jobs","mnq_project_id":"`+w.ProjectID+`","mnq_region":"fr-par","mnq_credential_id":null\}\}$`)
	nats := must[*function.Trigger](t)(w.CreateTrigger(&function.CreateTriggerRequest{
		Name: "n", FunctionID: f.ID, ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "a.>", MnqNatsAccountID: "acc", MnqProjectID: w.ProjectID, MnqRegion: "fr-par"},
	}))
	nats = must[*function.Trigger](t)(w.WaitForTrigger(&function.WaitForTriggerRequest{TriggerID: nats.ID, RetryInterval: often}))
	if nats.Status != function.TriggerStatusReady || nats.ScwNatsConfig == nil || nats.ScwNatsConfig.MnqCredentialID == nil || nats.ScwSqsConfig != nil {
		t.Errorf("got trigger %+v", nats)
	}
	const hidden = "queue-secret-key"
	_, _, external := w.api(http.MethodPost, "/triggers", `{"name":"e","function_id":"`+f.ID+`","sqs_config":{"endpoint":"https://sqs.example.com","queue_url":"https://sqs.example.com/1/q","access_key":"AK","secret_key":"`+hidden+`"}}`)
	wantMatch(t, "a trigger of another service", external, `"input_type":"sqs".*"access_key":"AK","secret_key":""`)
	if strings.Contains(external, hidden) {
		t.Error("the answer contains the secret key of the queue")
	}
	for filter, want := range map[string]uint32{"?function_id=" + f.ID: 3, "?namespace_id=" + f.NamespaceID: 3, "?project_id=" + w.ProjectID: 3, "": 3, "?page_size=1": 3} {
		_, _, body := w.api(http.MethodGet, "/triggers"+filter, "")
		var listed function.ListTriggersResponse
		if err := json.Unmarshal([]byte(body), &listed); err != nil || listed.TotalCount != want || !strings.HasPrefix(body, `{"total_count":`) {
			t.Errorf("list %s: got error %v, body %.100s", filter, err, body)
		}
	}
	changed := must[*function.Trigger](t)(w.UpdateTrigger(&function.UpdateTriggerRequest{TriggerID: nats.ID, Name: scw.StringPtr("m"), Description: scw.StringPtr("d")}))
	if changed.Name != "m" || changed.Description != "d" {
		t.Errorf("after the update: got trigger %+v", changed)
	}
	if deleted := must[*function.Trigger](t)(w.DeleteTrigger(&function.DeleteTriggerRequest{TriggerID: nats.ID})); deleted.Status != function.TriggerStatusDeleting {
		t.Errorf("got status %s of the deleted trigger", deleted.Status)
	}
	_, _, body := w.api(http.MethodGet, "/triggers/"+nats.ID, "")
	wantMatch(t, "GET of none", body, `^\{"message":"trigger does not exist"\}$`)
	_, _, body = w.api(http.MethodDelete, "/triggers/"+nats.ID, "")
	wantMatch(t, "DELETE of none", body, `^\{"message":"trigger does not exist: could not find trigger with id `+nats.ID+`"\}$`)
	for what, source := range map[string]string{
		"no source": "", "two sources": `,"scw_sqs_config":{"queue":"a"},"scw_nats_config":{"subject":"b"}`,
		"no queue": `,"scw_sqs_config":{}`, "no key": `,"sqs_config":{"endpoint":"e","queue_url":"u","access_key":"a"}`,
	} {
		status, _, body := w.api(http.MethodPost, "/triggers", `{"name":"x","function_id":"`+f.ID+`"`+source+`}`)
		wantRefusal(t, what, status, body, http.StatusBadRequest, "config")
	}
}

// Crons and domains survive a restart, and are deleted with the namespace of their
// function.
func TestAttached_AreDeletedWithNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.bareFunction("parent")
	c := must[*function.Cron](t)(w.CreateCron(&function.CreateCronRequest{FunctionID: f.ID, Schedule: "@daily"}))
	d := must[*function.Domain](t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "parent.example.com"}))
	w.restart()
	if _, _, body := w.api(http.MethodGet, "/crons/"+c.ID, ""); !strings.Contains(body, c.ID) {
		t.Errorf("after a restart: got cron %s", body)
	}
	status, _, _ := w.api(http.MethodDelete, "/namespaces/"+f.NamespaceID, "")
	wantStatus(t, "delete the namespace", status, http.StatusOK)
	for _, path := range []string{"/crons/" + c.ID, "/domains/" + d.ID} {
		status, _, _ := w.api(http.MethodGet, path, "")
		wantStatus(t, path, status, http.StatusNotFound)
	}
}
