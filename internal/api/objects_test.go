package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function(w.namespace("tokens"), "f")
	made := w.must("POST", "/tokens", `{"function_id":"`+f+`","description":"d","expires_at":"2027-10-18T11:35:15.987+02:00"}`)
	text := made.text("token")
	if strings.Count(text, ".") != 2 || made.text("status") != "creating" || made.text("expires_at") != "2027-10-18T09:35:15Z" ||
		!strings.HasPrefix(made.text("public_key"), "-----BEGIN") || made.text("description") != "d" {
		t.Errorf("made: %s", made.body)
	}
	if !w.admitted(text) {
		t.Error("the token is not admitted after its answer")
	}
	for _, path := range []string{"/tokens/" + made.text("id"), "/tokens?function_id=" + f} {
		if a := w.must("GET", path, ""); strings.Contains(a.body, text) || !strings.Contains(a.body, `"token":"<hidden>"`) {
			t.Errorf("GET %s: %s", path, a.body)
		}
	}
	if strings.Contains(w.log.String(), text) {
		t.Error("the token is in the log")
	}
	deleted := w.must("DELETE", "/tokens/"+made.text("id"), "")
	if deleted.text("status") != "deleting" || w.admitted(text) {
		t.Errorf("deleted: %s, admitted: %v", deleted.body, w.admitted(text))
	}
	if a := w.ask("DELETE", "/tokens/"+made.text("id"), ""); a.status != 404 {
		t.Errorf("again: %d %s", a.status, a.body)
	}
	for name, test := range map[string]struct{ body, says string }{
		"of nothing":         {`{}`, "function_id"},
		"of two things":      {`{"function_id":"` + f + `","namespace_id":"` + f + `"}`, "namespace_id"},
		"a day":              {`{"function_id":"` + f + `","expires_at":"2027-01-31"}`, `"argument_name":"expires_at"`},
		"a number":           {`{"function_id":7}`, `"argument_name":"function_id"`},
		"a long description": {`{"function_id":"` + f + `","description":"` + strings.Repeat("x", 5000) + `"}`, "description"},
	} {
		if a := w.ask("POST", "/tokens", test.body); a.status != 400 || !strings.Contains(a.body, test.says) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// Of the older route come tokens that can be revoked as any other.
	issued := w.must("GET", "/issue-jwt?function_id="+f+"&expiration_date=2027-10-18T09:35:15Z", "")
	if !w.admitted(issued.text("token")) {
		t.Errorf("issued: %s", issued.body)
	}
	if a := w.ask("GET", "/issue-jwt?function_id="+f+"&expiration_date=2027-10-18T09:35:15Z&expires_at=2028-10-18T09:35:15Z", ""); a.status != 400 {
		t.Errorf("two expiries: %d %s", a.status, a.body)
	}
	w.must("DELETE", "/functions/"+f, "")
	if w.admitted(issued.text("token")) {
		t.Error("the token outlives its function")
	}
}

// A PATCH changes what it names: null and nothing leave a field, an empty value
// clears it.
func TestPatchChangesWhatItNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("patch")
	const value = "s3cret-value"
	f := w.must("POST", "/functions", `{"namespace_id":"`+n+`","name":"f","runtime":"node24","description":"d","tags":["a"],"max_scale":3,
		"environment_variables":{"A":"1"},"secret_environment_variables":[{"key":"S","value":"`+value+`"},{"key":"T","value":"x"}],"timeout":"60s","memory_limit":512}`)
	if f.text("status") != "created" || strings.Contains(f.body, value) || !strings.Contains(f.body, `"hashed_value":"$argon2id$`) || f.text("handler") != "handler.handle" {
		t.Fatalf("made: %s", f.body)
	}
	path := "/functions/" + f.text("id")
	w.pass(time.Hour)
	for _, body := range []string{`{}`, ``, `{"description":null,"tags":null,"environment_variables":null,"max_scale":null,"timeout":null,"unknown_field":[1]}`} {
		a := w.must("PATCH", path, body)
		for _, field := range []string{"description", "tags", "environment_variables", "max_scale", "timeout", "memory_limit", "handler", "secret_environment_variables"} {
			if fmt.Sprint(a.fields[field]) != fmt.Sprint(f.fields[field]) {
				t.Errorf("PATCH %s: %s is %v, want %v", body, field, a.fields[field], f.fields[field])
			}
		}
	}
	a := w.must("PATCH", path, `{"description":"","tags":[],"environment_variables":{},"secret_environment_variables":[{"key":"S"}],"min_scale":0,"max_scale":5,"privacy":"private"}`)
	if a.text("description") != "" || len(a.fields["tags"].([]any)) != 0 || len(a.fields["environment_variables"].(map[string]any)) != 0 ||
		strings.Contains(a.body, `"key":"S"`) || !strings.Contains(a.body, `"key":"T"`) || a.fields["max_scale"] != 5.0 || a.text("privacy") != "private" {
		t.Errorf("cleared: %s", a.body)
	}
	for name, body := range map[string]string{
		"another language": `{"runtime":"python314"}`, "no runtime": `{"runtime":"cobol"}`, "negative": `{"min_scale":-1}`, "min over max": `{"min_scale":9,"max_scale":2}`,
		"no memory tier": `{"memory_limit":100}`, "no seconds": `{"timeout":"60"}`, "a number": `{"timeout":60}`, "too long": `{"timeout":"999999s"}`,
		"a climb": `{"handler":"../../x.handle"}`, "a bad variable": `{"environment_variables":{"1 A":"x"}}`, "a bad privacy": `{"privacy":"open"}`,
	} {
		if a := w.ask("PATCH", path, body); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// A body that cannot be read is refused without any of it in the answer or the log.
func TestBodiesAreNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const value = "s3cret-value"
	for name, test := range map[string]struct {
		body, says string
	}{
		"cut off":      {`{"name":"n","secret_environment_variables":[{"key":"K","value":"` + value, "not valid JSON, at byte"},
		"a wrong type": {`{"name":"n","secret_environment_variables":[{"key":"K","value":["` + value + `"]}]}`, "has the wrong type: an array"},
		"a list":       {`["` + value + `"]`, "has the wrong type: an array"},
		"two":          {`{"name":"n"} {"name":"` + value + `"}`, "not valid JSON"},
		"no JSON":      {value, "not valid JSON"},
		"too large":    {`{"name":"` + strings.Repeat("x", 9<<20) + `"}`, "too large"},
	} {
		a := w.ask("POST", "/namespaces", test.body)
		if a.status != 400 || !strings.Contains(a.body, test.says) || strings.Contains(a.body, value) {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, test.says)
		}
	}
	if strings.Contains(w.log.String(), value) {
		t.Error("the value is in the log")
	}
	if a := w.must("GET", "/namespaces", ""); a.fields["total_count"] != 0.0 {
		t.Errorf("afterwards: %s", a.body)
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("conflicts")
	f := w.function(n, "f")
	w.must("POST", "/domains", `{"function_id":"`+f+`","hostname":"www.example.com"}`)
	pending := w.must("POST", "/namespaces", `{"name":"pending"}`).text("id")
	for name, test := range map[string]struct {
		path, body string
		status     int
		says       string
	}{
		"a namespace of that name":  {"/namespaces", `{"name":"conflicts"}`, 409, "already exist"},
		"a function of that name":   {"/functions", `{"namespace_id":"` + n + `","name":"f","runtime":"go126"}`, 409, `"type":"already_exists"`},
		"a hostname that is taken":  {"/domains", `{"function_id":"` + f + `","hostname":"WWW.example.com"}`, 409, "message"},
		"a namespace without a key": {"/functions", `{"namespace_id":"` + pending + `","name":"f","runtime":"go126"}`, 409, `"type":"transient_state"`},
		"its token":                 {"/tokens", `{"namespace_id":"` + pending + `"}`, 409, `"current_state":"pending"`},
	} {
		if a := w.ask("POST", test.path, test.body); a.status != test.status || !strings.Contains(a.body, test.says) {
			t.Errorf("%s: %d %s, want %d and %s", name, a.status, a.body, test.status, test.says)
		}
	}
	w.Service.Limits.Functions = 1
	if a := w.ask("POST", "/functions", `{"namespace_id":"`+n+`","name":"g","runtime":"go126"}`); a.status != 403 || !strings.Contains(a.body, `"type":"quotas_exceeded"`) ||
		!strings.Contains(a.body, `"quota":1,"current":1`) {
		t.Errorf("one function too many: %d %s", a.status, a.body)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var names []string
	for _, name := range []string{"b", "c", "a", "e", "d"} {
		w.pass(time.Second)
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
			continue // an order that there is not may be refused
		}
		if a.status != 200 || !slices.Equal(got, want) {
			t.Errorf("%q: %d %v, want %v", query, a.status, got, want)
		}
	}
	for _, query := range []string{"?page=x", "?page_size=-1", "?page_size=100000"} {
		if a := w.ask("GET", "/namespaces"+query, ""); a.status != 400 && a.status != 200 {
			t.Errorf("%q: %d %s", query, a.status, a.body)
		}
	}
}

// A namespace is deleted with all that is in it, and its name is free once it is
// gone.
func TestDeleteNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("gone")
	f := w.function(n, "f")
	text := w.must("POST", "/tokens", `{"namespace_id":"`+n+`"}`).text("token")
	if a := w.must("DELETE", "/namespaces/"+n, ""); a.text("status") != "deleting" {
		t.Errorf("%s", a.body)
	}
	if w.admitted(text) {
		t.Error("its token is still admitted")
	}
	if a := w.must("GET", "/functions/"+f, ""); a.text("status") != string(functions.Deleting) {
		t.Errorf("its function is %s", a.text("status"))
	}
	for _, path := range []string{"/functions/" + f + "/deploy", "/functions"} {
		if a := w.ask("POST", path, `{"namespace_id":"`+n+`","name":"g","runtime":"go126"}`); a.status != 409 {
			t.Errorf("POST %s: %d %s", path, a.status, a.body)
		}
	}
}
