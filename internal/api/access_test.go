package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
)

func TestRequests_RequireKeyAndPermission(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expired := w.newKey(ours, start, iam.FullAccess)
	readOnly, private := w.newKey(ours, time.Time{}, iam.ReadOnly), w.newKey(ours, time.Time{}, iam.PrivateAccess)
	unknown, none := uuid.NewString(), uuid.NewString()
	for name, test := range map[string]struct {
		key, method, path string
		status            int
		want              string
	}{
		"no key":                 {"", "GET", "/namespaces", 401, `"reason":"invalid_argument"`},
		"not a UUID":             {"x", "GET", "/namespaces", 401, `"reason":"invalid_argument"`},
		"unknown":                {unknown, "GET", "/namespaces", 401, `"reason":"not_found"`},
		"unknown, bad endpoint":  {unknown, "GET", "/nothing", 401, `"reason":"not_found"`},
		"expired this second":    {expired, "GET", "/namespaces", 401, `"reason":"expired"`},
		"may read":               {readOnly, "GET", "/namespaces", 200, `"total_count":0`},
		"may not write":          {readOnly, "POST", "/namespaces", 403, `{"action":"write","resource":"functions_namespace"}`},
		"may not upload":         {readOnly, "GET", "/functions/" + none + "/upload-url", 403, `{"action":"write","resource":"functions_function"}`},
		"may not issue tokens":   {readOnly, "GET", "/issue-jwt", 403, `{"action":"write","resource":"functions_token"}`},
		"may only call":          {private, "GET", "/functions", 403, `{"action":"read","resource":"functions_function"}`},
		"unknown endpoint":       {w.key, "GET", "/nothing", 404, "no such endpoint"},
		"unknown method":         {w.key, "PUT", "/namespaces", 404, "no such endpoint"},
		"invalid ID":             {w.key, "GET", "/namespaces/x", 400, "invalid argument(s)"},
		"ID with path elements":  {w.key, "GET", "/namespaces/..%2f..", 400, "invalid argument(s)"},
		"key of another project": {w.theirs, "GET", "/namespaces", 200, `"total_count":0`},
		"empty body":             {w.key, "POST", "/namespaces", 400, "namespace name"},
	} {
		a := w.send(test.key, test.method, w.url+base+test.path, "")
		if a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: got %d %s, want %d with %s", name, a.status, a.body, test.status, test.want)
		}
		if test.key != "" && test.key != "x" && strings.Contains(a.body+w.log.String(), test.key) {
			t.Errorf("%s: the key is in the response or in the log", name)
		}
		if a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: the response has no request ID", name)
		}
	}
	if a := w.send(w.key, "GET", w.url+"/functions/v1beta1/regions/us-east/namespaces", ""); a.status != 400 || !strings.Contains(a.body, `"argument_name":"region"`) {
		t.Errorf("unknown region: got %d %s, want 400 for region", a.status, a.body)
	}
}

// Every endpoint responds for the objects of another project as for objects that do not
// exist.
func TestProjects_AreIsolated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("secret-name")
	f := w.function(n, "hello")
	tokenID := w.must("POST", "/tokens", `{"function_id":"`+f+`"}`).text("id")
	cronID := w.must("POST", "/crons", `{"function_id":"`+f+`","schedule":"0 0 * * *","name":"c"}`).text("id")
	domainID := w.must("POST", "/domains", `{"function_id":"`+f+`","hostname":"www.example.com"}`).text("id")
	none := uuid.NewString()
	for _, test := range []struct{ method, path, id string }{
		{"GET", "/namespaces/%s", n},
		{"PATCH", "/namespaces/%s", n},
		{"DELETE", "/namespaces/%s", n},
		{"GET", "/functions/%s", f},
		{"PATCH", "/functions/%s", f},
		{"DELETE", "/functions/%s", f},
		{"POST", "/functions/%s/deploy", f},
		{"GET", "/functions/%s/upload-url?content_length=1", f},
		{"GET", "/functions/%s/download-url", f},
		{"GET", "/functions/%s/logs", f},
		{"GET", "/tokens/%s", tokenID},
		{"DELETE", "/tokens/%s", tokenID},
		{"GET", "/crons/%s", cronID},
		{"PATCH", "/crons/%s", cronID},
		{"DELETE", "/crons/%s", cronID},
		{"GET", "/domains/%s", domainID},
		{"DELETE", "/domains/%s", domainID},
	} {
		theirs := w.send(w.theirs, test.method, w.url+base+fmt.Sprintf(test.path, test.id), "{}")
		missing := w.send(w.theirs, test.method, w.url+base+fmt.Sprintf(test.path, none), "{}")
		if theirs.status != 404 || strings.ReplaceAll(theirs.body, test.id, none) != missing.body {
			t.Errorf("%s %s: got %d %s, want the response for a missing object %d %s", test.method, test.path, theirs.status, theirs.body, missing.status, missing.body)
		}
	}
	for path, body := range map[string]string{
		"/functions": `{"namespace_id":"` + n + `","name":"x","runtime":"go126"}`, "/tokens": `{"function_id":"` + f + `"}`,
		"/crons": `{"function_id":"` + f + `","schedule":"* * * * *"}`, "/domains": `{"function_id":"` + f + `","hostname":"a.example.com"}`,
	} {
		if a := w.send(w.theirs, "POST", w.url+base+path, body); a.status != 404 {
			t.Errorf("POST %s for an object of another project: got %d %s, want 404", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/namespaces", "/functions?namespace_id=" + n, "/tokens?function_id=" + f, "/crons?function_id=" + f, "/domains?function_id=" + f} {
		if a := w.send(w.theirs, "GET", w.url+base+path, ""); strings.Contains(a.body, f) || strings.Contains(a.body, "secret-name") || a.fields["total_count"] != nil && a.fields["total_count"] != 0.0 {
			t.Errorf("GET %s: got %s, want nothing of another project", path, a.body)
		}
	}
	if a := w.must("GET", "/functions/"+f, ""); a.text("status") != "created" || a.text("name") != "hello" {
		t.Errorf("function afterwards: got %s, want it unchanged", a.body)
	}
}

func TestWrongKeys_AreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *api.Config) { c.Attempts = iam.NewAttempts(3) })
	for n := range 6 {
		want := http.StatusUnauthorized
		if n >= 3 {
			want = http.StatusTooManyRequests
		}
		if a := w.send(uuid.NewString(), "GET", w.url+base+"/namespaces", ""); a.status != want {
			t.Errorf("wrong key %d: got %d %s, want %d", n, a.status, a.body, want)
		}
	}
	w.must("GET", "/namespaces", "")
	w.clock.Advance(time.Minute)
	if a := w.send("", "GET", w.url+base+"/namespaces", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a minute later: got %d, want 401", a.status)
	}
}

// unavailableKeys is a Directory that cannot authenticate while unavailable is set.
type unavailableKeys struct {
	api.Directory

	unavailable *atomic.Bool
}

func (d unavailableKeys) Authenticate(secretKey string, now time.Time) (iam.APIKey, error) {
	if d.unavailable.Load() {
		return iam.APIKey{}, &functions.Error{Code: functions.Unavailable, Message: "not now"}
	}
	return d.Directory.Authenticate(secretKey, now)
}

func TestUnavailableKeys_AreNotCountedAsWrong(t *testing.T) {
	t.Parallel()
	var unavailable atomic.Bool
	w := newWorld(t, func(c *api.Config) { c.Keys, c.Attempts = unavailableKeys{c.Keys, &unavailable}, iam.NewAttempts(1) })
	unavailable.Store(true)
	for range 5 {
		if a := w.ask("GET", "/namespaces", ""); a.status != http.StatusServiceUnavailable || a.body != `{"message":"not now"}` {
			t.Errorf("unavailable: got %d %s, want 503", a.status, a.body)
		}
	}
	unavailable.Store(false)
	w.must("GET", "/namespaces", "")
	if a := w.send("", "GET", w.url+base+"/namespaces", ""); a.status != http.StatusUnauthorized {
		t.Errorf("first wrong key: got %d, want 401", a.status)
	}
}

func TestPanic_IsInternalError(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // API.Logs is nil, so that a request for logs panics.
	f := w.function(w.namespace("panics"), "f")
	if a := w.ask("GET", "/functions/"+f+"/logs", ""); a.status != http.StatusInternalServerError || a.body != `{"message":"internal error"}` {
		t.Errorf("got %d %s, want 500 without the cause", a.status, a.body)
	}
	if !strings.Contains(w.log.String(), "panic: runtime error") || !strings.Contains(w.log.String(), "logs.go") {
		t.Error("the log has no stack of the panic")
	}
	w.must("GET", "/functions/"+f, "")
}

func TestNew_NamesMissingDependencies(t *testing.T) {
	t.Parallel()
	c := newWorld(t).config
	c.Keys, c.URLKey, c.Now = nil, nil, nil
	if a, err := api.New(c); a != nil || err == nil || !strings.HasSuffix(err.Error(), ": Keys, URLKey, Now") {
		t.Errorf("got %v, %v, want an error with Keys, URLKey and Now", a, err)
	}
}
