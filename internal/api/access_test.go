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

func TestAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expired := w.newKey(ours, start, iam.FullAccess)
	readOnly, private := w.newKey(ours, time.Time{}, iam.ReadOnly), w.newKey(ours, time.Time{}, iam.PrivateAccess)
	unknown, none := uuid.NewString(), uuid.NewString()
	for name, test := range map[string]struct {
		key, method, path string
		status            int
		says              string
	}{
		"no key":                  {"", "GET", "/namespaces", 401, `"reason":"invalid_argument"`},
		"no UUID":                 {"x", "GET", "/namespaces", 401, `"reason":"invalid_argument"`},
		"unknown":                 {unknown, "GET", "/namespaces", 401, `"reason":"not_found"`},
		"unknown, no endpoint":    {unknown, "GET", "/nothing", 401, `"reason":"not_found"`},
		"expired this instant":    {expired, "GET", "/namespaces", 401, `"reason":"expired"`},
		"may read":                {readOnly, "GET", "/namespaces", 200, `"total_count":0`},
		"may not write":           {readOnly, "POST", "/namespaces", 403, `{"action":"write","resource":"functions_namespace"}`},
		"may not upload":          {readOnly, "GET", "/functions/" + none + "/upload-url", 403, `{"action":"write","resource":"functions_function"}`},
		"may not issue tokens":    {readOnly, "GET", "/issue-jwt", 403, `{"action":"write","resource":"functions_token"}`},
		"may only call":           {private, "GET", "/functions", 403, `{"action":"read","resource":"functions_function"}`},
		"no endpoint, with a key": {w.key, "GET", "/nothing", 404, "no such endpoint"},
		"another method":          {w.key, "PUT", "/namespaces", 404, "no such endpoint"},
		"an ID that is none":      {w.key, "GET", "/namespaces/x", 400, "invalid argument(s)"},
		"an ID with a climb":      {w.key, "GET", "/namespaces/..%2f..", 400, "invalid argument(s)"},
		"the key of another":      {w.theirs, "GET", "/namespaces", 200, `"total_count":0`},
		"nothing to make":         {w.key, "POST", "/namespaces", 400, "namespace name"},
	} {
		a := w.send(test.key, test.method, w.url+base+test.path, "")
		if a.status != test.status || !strings.Contains(a.body, test.says) {
			t.Errorf("%s: %d %s, want %d and %s", name, a.status, a.body, test.status, test.says)
		}
		if test.key != "" && test.key != "x" && strings.Contains(a.body+w.log.String(), test.key) {
			t.Errorf("%s: the key is in the answer or in the log", name)
		}
		if a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: the answer has no request ID", name)
		}
	}
	if a := w.send(w.key, "GET", w.url+"/functions/v1beta1/regions/us-east/namespaces", ""); a.status != 400 || !strings.Contains(a.body, `"argument_name":"region"`) {
		t.Errorf("another region: %d %s", a.status, a.body)
	}
}

// No endpoint shows one project's objects to another project, and each answers as if
// they were not there.
func TestProjectsSeeNothingOfEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("secret-name")
	f := w.function(n, "hello")
	tokenID := w.must("POST", "/tokens", `{"function_id":"`+f+`"}`).text("id")
	cronID := w.must("POST", "/crons", `{"function_id":"`+f+`","schedule":"0 0 * * *","name":"c"}`).text("id")
	domainID := w.must("POST", "/domains", `{"function_id":"`+f+`","hostname":"www.example.com"}`).text("id")
	none := uuid.NewString()
	for _, test := range []struct{ method, path, body string }{
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
		theirs := w.send(w.theirs, test.method, w.url+base+fmt.Sprintf(test.path, test.body), "{}")
		missing := w.send(w.theirs, test.method, w.url+base+fmt.Sprintf(test.path, none), "{}")
		if theirs.status != 404 || strings.ReplaceAll(theirs.body, test.body, none) != missing.body {
			t.Errorf("%s %s: %d %s, and of what is not there %d %s", test.method, test.path, theirs.status, theirs.body, missing.status, missing.body)
		}
	}
	for path, body := range map[string]string{
		"/functions": `{"namespace_id":"` + n + `","name":"x","runtime":"go126"}`, "/tokens": `{"function_id":"` + f + `"}`,
		"/crons": `{"function_id":"` + f + `","schedule":"* * * * *"}`, "/domains": `{"function_id":"` + f + `","hostname":"a.example.com"}`,
	} {
		if a := w.send(w.theirs, "POST", w.url+base+path, body); a.status != 404 {
			t.Errorf("POST %s for another's: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/namespaces", "/functions?namespace_id=" + n, "/tokens?function_id=" + f, "/crons?function_id=" + f, "/domains?function_id=" + f} {
		if a := w.send(w.theirs, "GET", w.url+base+path, ""); strings.Contains(a.body, f) || strings.Contains(a.body, "secret-name") || a.fields["total_count"] != nil && a.fields["total_count"] != 0.0 {
			t.Errorf("GET %s: %s", path, a.body)
		}
	}
	if a := w.must("GET", "/functions/"+f, ""); a.text("status") != "created" || a.text("name") != "hello" {
		t.Errorf("afterwards the function is %s", a.body)
	}
}

// Wrong keys from one address are slowed; a right one is not, and neither is anybody
// counted while the server itself cannot tell.
func TestWrongKeysAreSlowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(a *api.API) { a.Attempts = iam.NewAttempts(3) })
	for n := range 6 {
		want := http.StatusUnauthorized
		if n >= 3 {
			want = http.StatusTooManyRequests
		}
		if a := w.send(uuid.NewString(), "GET", w.url+base+"/namespaces", ""); a.status != want {
			t.Errorf("wrong key %d: %d %s", n, a.status, a.body)
		}
	}
	w.must("GET", "/namespaces", "")
	w.pass(time.Minute)
	if a := w.send("", "GET", w.url+base+"/namespaces", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a minute later: %d", a.status)
	}
}

// doubtful keys cannot be told while the flag is set.
type doubtful struct {
	api.Directory

	doubt *atomic.Bool
}

func (d doubtful) Authenticate(secretKey string, now time.Time) (iam.APIKey, error) {
	if d.doubt.Load() {
		return iam.APIKey{}, &functions.Error{Code: functions.Unavailable, Message: "not now"}
	}
	return d.Directory.Authenticate(secretKey, now)
}

func TestKeysThatCannotBeTold(t *testing.T) {
	t.Parallel()
	var doubt atomic.Bool
	w := newWorld(t, func(a *api.API) { a.Keys, a.Attempts = doubtful{a.Keys, &doubt}, iam.NewAttempts(1) })
	doubt.Store(true)
	for range 5 {
		if a := w.ask("GET", "/namespaces", ""); a.status != http.StatusServiceUnavailable || a.body != `{"message":"not now"}` {
			t.Errorf("in doubt: %d %s", a.status, a.body)
		}
	}
	doubt.Store(false)
	w.must("GET", "/namespaces", "")
	if a := w.send("", "GET", w.url+base+"/namespaces", ""); a.status != http.StatusUnauthorized {
		t.Errorf("what was in doubt was counted as wrong: %d", a.status)
	}
}

// What panics is answered as any internal error: with nothing of it.
func TestPanicsAreInternalErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // there are no logs, and they are asked for
	f := w.function(w.namespace("panics"), "f")
	if a := w.ask("GET", "/functions/"+f+"/logs", ""); a.status != http.StatusInternalServerError || a.body != `{"message":"internal error"}` {
		t.Errorf("%d %s", a.status, a.body)
	}
	if !strings.Contains(w.log.String(), "panic: runtime error") || !strings.Contains(w.log.String(), "logs.go") {
		t.Error("the log does not say where it was")
	}
	w.must("GET", "/functions/"+f, "")
}
