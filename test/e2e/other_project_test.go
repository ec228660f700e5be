package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/iam"
)

// objectIDs is one object of each kind: noun to ID.
type objectIDs map[string]string

func (w *world) objectIDs() objectIDs {
	w.t.Helper()
	n := w.namespace("property")
	f := w.function(python(n.ID, "f"), nil)
	w.upload(f.ID, zipOf(w.t, pythonHandler("return 1")))
	token := must[*function.Token](w.t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	cron := must[*function.Cron](w.t)(w.CreateCron(&function.CreateCronRequest{FunctionID: f.ID, Schedule: "@yearly"}))
	domain := must[*function.Domain](w.t)(w.CreateDomain(&function.CreateDomainRequest{FunctionID: f.ID, Hostname: "property.example.com"}))
	trigger := must[*function.Trigger](w.t)(w.CreateTrigger(&function.CreateTriggerRequest{
		FunctionID: f.ID, Name: "t", ScwNatsConfig: &function.CreateTriggerRequestMnqNatsClientConfig{Subject: "s"},
	}))
	return objectIDs{
		"namespace": n.ID, "function": f.ID, "token": token.ID, "cron": cron.ID, "domain": domain.ID, "trigger": trigger.ID,
		"project": w.ProjectID,
	}
}

// of replaces the nouns in a text by IDs. Without an object of the kind it uses the ID
// of an object that does not exist.
func (p objectIDs) of(text string) string {
	for _, noun := range []string{"namespace", "function", "token", "cron", "domain", "trigger", "project"} {
		id := unknownID
		if p != nil {
			id = p[noun]
		}
		text = strings.ReplaceAll(text, "{"+noun+"}", id)
	}
	return text
}

// requests are all ways to name an object in a request.
var requests = map[string]string{
	"GET /namespaces/{namespace}":                           "",
	"PATCH /namespaces/{namespace}":                         `{"description":"mine now"}`,
	"DELETE /namespaces/{namespace}":                        "",
	"GET /namespaces?project_id={project}":                  "",
	"POST /namespaces":                                      `{"name":"stray","project_id":"{project}"}`,
	"GET /functions?namespace_id={namespace}":               "",
	"POST /functions":                                       `{"name":"stray","namespace_id":"{namespace}","runtime":"python311"}`,
	"GET /functions/{function}":                             "",
	"PATCH /functions/{function}":                           `{"privacy":"public"}`,
	"DELETE /functions/{function}":                          "",
	"POST /functions/{function}/deploy":                     "{}",
	"GET /functions/{function}/upload-url?content_length=9": "",
	"GET /functions/{function}/download-url":                "",
	"GET /tokens?function_id={function}":                    "",
	"GET /tokens?namespace_id={namespace}":                  "",
	"POST /tokens":                                          `{"function_id":"{function}"}`,
	"POST /tokens?":                                         `{"namespace_id":"{namespace}"}`,
	"GET /tokens/{token}":                                   "",
	"DELETE /tokens/{token}":                                "",
	"GET /issue-jwt?function_id={function}":                 "",
	"GET /issue-jwt?namespace_id={namespace}":               "",
	"GET /namespaces/{namespace}/functions":                 "",
	"GET /functions/{function}/logs":                        "",
	"GET /crons?function_id={function}":                     "",
	"POST /crons":                                           `{"function_id":"{function}","schedule":"@daily","args":{}}`,
	"GET /crons/{cron}":                                     "",
	"PATCH /crons/{cron}":                                   `{"schedule":"@daily"}`,
	"DELETE /crons/{cron}":                                  "",
	"GET /domains?function_id={function}":                   "",
	"POST /domains":                                         `{"function_id":"{function}","hostname":"other.example.com"}`,
	"POST /domains?":                                        `{"function_id":"{function}","hostname":"property.example.com"}`,
	"GET /domains/{domain}":                                 "",
	"DELETE /domains/{domain}":                              "",
	"GET /triggers?function_id={function}":                  "",
	"GET /triggers?namespace_id={namespace}":                "",
	"GET /triggers?project_id={project}":                    "",
	"POST /triggers":                                        `{"function_id":"{function}","name":"stray","scw_nats_config":{"subject":"s"}}`,
	"GET /triggers/{trigger}":                               "",
	"PATCH /triggers/{trigger}":                             `{"description":"mine now"}`,
	"DELETE /triggers/{trigger}":                            "",
}

// For a key of another project, the answer for an existing object is the same as for one
// that does not exist, byte for byte, headers included.
func TestOtherProject_CannotSeeObjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owned := w.objectIDs()
	p := must[admin.Project](t)(w.Admin.CreateProject(t.Context(), "other"))
	otherKey := w.Key(p.ID, iam.FullAccess)
	ask := func(p objectIDs, pattern, body string) string {
		method, path, _ := strings.Cut(pattern, " ")
		status, header, answer := w.send(method, w.APIURL+"/functions/v1beta1/regions/fr-par"+p.of(path), []byte(p.of(body)),
			http.Header{"X-Auth-Token": {otherKey.SecretKey}})
		header.Del("Date")
		header.Del("X-Request-Id")
		for _, id := range p {
			answer = strings.ReplaceAll(answer, id, unknownID)
		}
		return http.StatusText(status) + "\n" + url.Values(header).Encode() + "\n" + answer
	}
	for pattern, body := range requests {
		if got, want := ask(owned, pattern, body), ask(nil, pattern, body); got != want {
			t.Errorf("%s: an object of another project: got\n%s, want the answer for a missing object\n%s", pattern, got, want)
		}
	}
	for noun, plural := range map[string]string{"namespace": "namespaces", "function": "functions", "token": "tokens", "cron": "crons", "domain": "domains", "trigger": "triggers"} {
		status, _, body := w.api(http.MethodGet, "/"+plural+"/"+owned[noun], "")
		if status != http.StatusOK {
			t.Errorf("read the %s with its own key: got %d %s", noun, status, body)
		}
	}
	for _, query := range []string{"", "?organization_id=" + w.OrganizationID, "?name=property", "?project_id=" + p.ID} {
		_, body := w.as(otherKey.SecretKey, http.MethodGet, "/functions/v1beta1/regions/fr-par/namespaces"+query, "")
		if body != `{"namespaces":[],"total_count":0}` {
			t.Errorf("namespaces%s: got %s", query, body)
		}
	}
}

// An object cannot refer to an object of another project.
func TestOtherProject_CannotBeReferredTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	owned := w.objectIDs()
	p := must[admin.Project](t)(w.Admin.CreateProject(t.Context(), "other"))
	own := *w
	key := w.Key(p.ID, iam.FullAccess)
	own.API = function.NewAPI(w.ClientOf(key))
	n := own.namespace("own")
	f := own.function(python(n.ID, "f"), nil)
	cron := must[*function.Cron](t)(own.CreateCron(&function.CreateCronRequest{FunctionID: f.ID, Schedule: "@yearly"}))
	for name, id := range map[string]string{"another project's": owned["function"], "unknownID's": unknownID} {
		_, err := own.UpdateCron(&function.UpdateCronRequest{CronID: cron.ID, FunctionID: &id})
		if err == nil || err.Error() != "scaleway-sdk-go: http error 404 Not Found: Function was not found" {
			t.Errorf("a cron of %s function: got error %v", name, err)
		}
	}
	// Messages of another project do not reach a function, and the answer does not show
	// whether that project exists.
	for _, source := range []string{`"scw_sqs_config":{"queue":"q","mnq_project_id":"{project}"}`, `"scw_nats_config":{"subject":"s","mnq_project_id":"{project}"}`} {
		for name, project := range map[string]string{"another project's": owned["project"], "unknownID's": unknownID} {
			status, body := w.as(key.SecretKey, http.MethodPost, "/functions/v1beta1/regions/fr-par/triggers",
				`{"function_id":"`+f.ID+`","name":"t",`+strings.ReplaceAll(source, "{project}", project)+`}`)
			const want = `{"details":[{"action":"write","resource":"functions_trigger"}],"message":"insufficient permissions","type":"permissions_denied"}`
			if status != http.StatusForbidden || body != want {
				t.Errorf("a trigger on %s messages: got %d %s", name, status, body)
			}
		}
	}
	// A hostname can be used once only. The refusal shows that it is in use, but not in
	// which project.
	status, body := w.as(key.SecretKey, http.MethodPost, "/functions/v1beta1/regions/fr-par/domains",
		`{"function_id":"`+f.ID+`","hostname":"property.example.com"}`)
	wantStatus(t, "a hostname in use in another project", status, http.StatusConflict)
	for noun, id := range owned {
		if strings.Contains(body, id) {
			t.Errorf("the refusal of a hostname contains the %s of another project: %s", noun, body)
		}
	}
}
