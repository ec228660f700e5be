package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
)

func TestTokens_CreateAndDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("tokens"), "f")
	token := w.must("POST", "/tokens", `{"function_id":"`+f+`","description":"d","expires_at":"2027-10-18T11:35:15.987+02:00"}`)
	text := token.text("token")
	if strings.Count(text, ".") != 2 || token.text("status") != "creating" || token.text("expires_at") != "2027-10-18T09:35:15Z" ||
		!strings.HasPrefix(token.text("public_key"), "-----BEGIN") || token.text("description") != "d" {
		t.Errorf("create: got %s", token.body)
	}
	if !w.admitted(text) {
		t.Error("the token is not admitted after the response to its creation")
	}
	for _, path := range []string{"/tokens/" + token.text("id"), "/tokens?function_id=" + f} {
		if a := w.must("GET", path, ""); strings.Contains(a.body, text) || !strings.Contains(a.body, `"token":"<hidden>"`) {
			t.Errorf("GET %s: got %s, want <hidden> instead of the token", path, a.body)
		}
	}
	if strings.Contains(w.log.String(), text) {
		t.Error("the token is in the log")
	}
	deleted := w.must("DELETE", "/tokens/"+token.text("id"), "")
	if deleted.text("status") != "deleting" || w.admitted(text) {
		t.Errorf("delete: got %s, admitted %v, want the status deleting and no admission", deleted.body, w.admitted(text))
	}
	if a := w.ask("DELETE", "/tokens/"+token.text("id"), ""); a.status != 404 {
		t.Errorf("second delete: got %d %s, want 404", a.status, a.body)
	}
	for name, test := range map[string]struct{ body, want string }{
		"no scope":         {`{}`, "function_id"},
		"two scopes":       {`{"function_id":"` + f + `","namespace_id":"` + f + `"}`, "namespace_id"},
		"expiry is a date": {`{"function_id":"` + f + `","expires_at":"2027-01-31"}`, `"argument_name":"expires_at"`},
		"ID is a number":   {`{"function_id":7}`, `"argument_name":"function_id"`},
		"long description": {`{"function_id":"` + f + `","description":"` + strings.Repeat("x", 5000) + `"}`, "description"},
	} {
		if a := w.ask("POST", "/tokens", test.body); a.status != 400 || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: got %d %s, want 400 with %s", name, a.status, a.body, test.want)
		}
	}
	// Tokens of the older endpoint are revoked like others.
	issued := w.must("GET", "/issue-jwt?function_id="+f+"&expiration_date=2027-10-18T09:35:15Z", "")
	if !w.admitted(issued.text("token")) {
		t.Errorf("issue-jwt: got %s, want a token that is admitted", issued.body)
	}
	if a := w.ask("GET", "/issue-jwt?function_id="+f+"&expiration_date=2027-10-18T09:35:15Z&expires_at=2028-10-18T09:35:15Z", ""); a.status != 400 {
		t.Errorf("issue-jwt with two expiries: got %d %s, want 400", a.status, a.body)
	}
	w.must("DELETE", "/functions/"+f, "")
	if w.admitted(issued.text("token")) {
		t.Error("the token is admitted after the deletion of its function")
	}
}

// Fields that are absent or null remain unchanged; empty values clear them.
func TestPatch_ChangesGivenFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("patch")
	const value = "s3cret-value"
	f := w.must("POST", "/functions", `{"namespace_id":"`+n+`","name":"f","runtime":"node24","description":"d","tags":["a"],"max_scale":3,
		"environment_variables":{"A":"1"},"secret_environment_variables":[{"key":"S","value":"`+value+`"},{"key":"T","value":"x"}],"timeout":"60s","memory_limit":512}`)
	if f.text("status") != "created" || strings.Contains(f.body, value) || !strings.Contains(f.body, `"hashed_value":"$argon2id$`) || f.text("handler") != "handler.handle" {
		t.Fatalf("create: got %s", f.body)
	}
	path := "/functions/" + f.text("id")
	w.clock.Advance(time.Hour)
	for _, body := range []string{`{}`, ``, `{"description":null,"tags":null,"environment_variables":null,"max_scale":null,"timeout":null,"unknown_field":[1]}`} {
		a := w.must("PATCH", path, body)
		for _, field := range []string{"description", "tags", "environment_variables", "max_scale", "timeout", "memory_limit", "handler", "secret_environment_variables"} {
			if fmt.Sprint(a.fields[field]) != fmt.Sprint(f.fields[field]) {
				t.Errorf("PATCH %s: %s: got %v, want %v", body, field, a.fields[field], f.fields[field])
			}
		}
	}
	a := w.must("PATCH", path, `{"description":"","tags":[],"environment_variables":{},"secret_environment_variables":[{"key":"S"}],"min_scale":0,"max_scale":5,"privacy":"private"}`)
	if a.text("description") != "" || len(a.fields["tags"].([]any)) != 0 || len(a.fields["environment_variables"].(map[string]any)) != 0 ||
		strings.Contains(a.body, `"key":"S"`) || !strings.Contains(a.body, `"key":"T"`) || a.fields["max_scale"] != 5.0 || a.text("privacy") != "private" {
		t.Errorf("PATCH with empty values: got %s", a.body)
	}
	for name, body := range map[string]string{
		"another language": `{"runtime":"python314"}`, "unknown runtime": `{"runtime":"cobol"}`, "negative scale": `{"min_scale":-1}`, "min over max": `{"min_scale":9,"max_scale":2}`,
		"unknown memory tier": `{"memory_limit":100}`, "no suffix": `{"timeout":"60"}`, "timeout is a number": `{"timeout":60}`, "too long": `{"timeout":"999999s"}`,
		"handler outside of the archive": `{"handler":"../../x.handle"}`, "invalid variable": `{"environment_variables":{"1 A":"x"}}`, "unknown privacy": `{"privacy":"open"}`,
	} {
		if a := w.ask("PATCH", path, body); a.status != 400 {
			t.Errorf("%s: got %d %s, want 400", name, a.status, a.body)
		}
	}
}

func TestInvalidBodies_AreNotQuoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const value = "s3cret-value"
	for name, test := range map[string]struct {
		body, want string
	}{
		"truncated":   {`{"name":"n","secret_environment_variables":[{"key":"K","value":"` + value, "not valid JSON, at byte"},
		"wrong type":  {`{"name":"n","secret_environment_variables":[{"key":"K","value":["` + value + `"]}]}`, "has the wrong type: an array"},
		"array":       {`["` + value + `"]`, "has the wrong type: an array"},
		"two objects": {`{"name":"n"} {"name":"` + value + `"}`, "not valid JSON"},
		"not JSON":    {value, "not valid JSON"},
		"too large":   {`{"name":"` + strings.Repeat("x", 9<<20) + `"}`, "too large"},
	} {
		a := w.ask("POST", "/namespaces", test.body)
		if a.status != 400 || !strings.Contains(a.body, test.want) || strings.Contains(a.body, value) {
			t.Errorf("%s: got %d %s, want 400 with %s", name, a.status, a.body, test.want)
		}
	}
	if strings.Contains(w.log.String(), value) {
		t.Error("the value is in the log")
	}
	if a := w.must("GET", "/namespaces", ""); a.fields["total_count"] != 0.0 {
		t.Errorf("namespaces afterwards: got %s, want none", a.body)
	}
}

func TestConflicts_HaveRecordedForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("conflicts")
	f := w.function(n, "f")
	w.must("POST", "/domains", `{"function_id":"`+f+`","hostname":"www.example.com"}`)
	pending := w.must("POST", "/namespaces", `{"name":"pending"}`).text("id")
	for name, test := range map[string]struct {
		path, body string
		status     int
		want       string
	}{
		"namespace name in use":   {"/namespaces", `{"name":"conflicts"}`, 409, "already exist"},
		"function name in use":    {"/functions", `{"namespace_id":"` + n + `","name":"f","runtime":"go126"}`, 409, `"type":"already_exists"`},
		"hostname in use":         {"/domains", `{"function_id":"` + f + `","hostname":"WWW.example.com"}`, 409, "message"},
		"function in pending one": {"/functions", `{"namespace_id":"` + pending + `","name":"f","runtime":"go126"}`, 409, `"type":"transient_state"`},
		"token of pending one":    {"/tokens", `{"namespace_id":"` + pending + `"}`, 409, `"current_state":"pending"`},
	} {
		if a := w.ask("POST", test.path, test.body); a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: got %d %s, want %d with %s", name, a.status, a.body, test.status, test.want)
		}
	}
	w.service.Limits.Functions = 1
	w.config.Service = newService(t, w.service)
	limited, err := api.New(w.config)
	if err != nil {
		t.Fatal(err)
	}
	w.serve(limited)
	if a := w.ask("POST", "/functions", `{"namespace_id":"`+n+`","name":"g","runtime":"go126"}`); a.status != 403 || !strings.Contains(a.body, `"type":"quotas_exceeded"`) ||
		!strings.Contains(a.body, `"quota":1,"current":1`) {
		t.Errorf("function over the quota: got %d %s, want 403 with the quota", a.status, a.body)
	}
}

func TestLists_PageFilterAndOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	for _, name := range []string{"b", "c", "a", "e", "d"} {
		w.clock.Advance(time.Second)
		w.namespace(name)
		names = append(names, name)
	}
	sorted := slices.Sorted(slices.Values(names))
	for query, want := range map[string][]string{
		"":                                      names,
		"?page=1&page_size=2":                   names[:2],
		"?page=2&page_size=2":                   names[2:4],
		"?page=3&page_size=2":                   names[4:],
		"?page=9&page_size=2":                   nil,
		"?order_by=name_asc":                    sorted,
		"?order_by=created_at_desc&page_size=1": {"d"},
		"?name=c":                               {"c"},
		"?name=C":                               nil,
		"?project_id=" + theirs.ID:              nil,
		"?organization_id=" + ours.OrganizationID:     names,
		"?order_by=name_desc&page=2&page_size=3":      {"b", "a"},
		"?page_size=100&page=1&order_by=unknown_what": names,
	} {
		a := w.ask("GET", "/namespaces"+query, "")
		var got []string
		found, _ := a.fields["namespaces"].([]any)
		for _, n := range found {
			got = append(got, n.(map[string]any)["name"].(string))
		}
		if query == "?page_size=100&page=1&order_by=unknown_what" && a.status == 400 {
			continue // An unknown order may be refused.
		}
		if a.status != 200 || !slices.Equal(got, want) {
			t.Errorf("%q: got %d %v, want %v", query, a.status, got, want)
		}
	}
	for _, query := range []string{"?page=x", "?page_size=-1", "?page_size=100000"} {
		if a := w.ask("GET", "/namespaces"+query, ""); a.status != 400 && a.status != 200 {
			t.Errorf("%q: got %d %s, want 200 or 400", query, a.status, a.body)
		}
	}
}

func TestDeleteNamespace_DeletesFunctionsAndTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("gone")
	f := w.function(n, "f")
	text := w.must("POST", "/tokens", `{"namespace_id":"`+n+`"}`).text("token")
	if a := w.must("DELETE", "/namespaces/"+n, ""); a.text("status") != "deleting" {
		t.Errorf("delete: got %s, want the status deleting", a.body)
	}
	if w.admitted(text) {
		t.Error("the namespace's token is admitted after the deletion")
	}
	if a := w.must("GET", "/functions/"+f, ""); a.text("status") != string(functions.Deleting) {
		t.Errorf("status of its function: got %s, want deleting", a.text("status"))
	}
	for _, path := range []string{"/functions/" + f + "/deploy", "/functions"} {
		if a := w.ask("POST", path, `{"namespace_id":"`+n+`","name":"g","runtime":"go126"}`); a.status != 409 {
			t.Errorf("POST %s: got %d %s, want 409", path, a.status, a.body)
		}
	}
}
