package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/live"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/await"
)

const own = "/jeton/v1/regions/fr-par"

// insightWorld is a world with the routes of the console.
type insightWorld struct {
	*world

	view   *live.View
	builds *builds
	// organization is the secret key of an API key of the organization.
	organization string
	// imported is the secret key of one of another organization, whose project is later than
	// the server's first.
	imported string
	called   []string
}

// builds implements api.Builds.
type builds struct {
	mu                sync.Mutex
	running, finished string
}

func (b *builds) Finished(context.Context, string) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.finished, nil
}

func (b *builds) Running(context.Context, string) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running, b.running != ""
}

// history implements api.MetricsHistory: the number of calls is that of the functions.
type history struct{ view *live.View }

func (h history) Of(context.Context, string, bool) api.MetricsSeries {
	return api.MetricsSeries{Start: start, Step: 15, Calls: []int64{1}}
}

func (h history) Sum(_ context.Context, _ bool, scope functions.Scope, namespaceID string) api.MetricsSeries {
	covers := h.view.Covers(scope, namespaceID)
	found, _ := h.view.Functions(functions.Scope{Region: "fr-par", Projects: []string{ours.ID, theirs.ID}}, live.Query{}, 0, 100)
	s := api.MetricsSeries{Start: start, Step: 15, Calls: []int64{0}}
	for _, f := range found {
		if covers(f.ID) {
			s.Calls[0]++
		}
	}
	return s
}

func (h history) Activity(_ context.Context, ids []string) map[string]api.Activity {
	all := map[string]api.Activity{}
	for _, id := range ids {
		all[id] = api.Activity{Calls: 7}
	}
	return all
}

type usages struct{}

func (usages) Tokens(_ context.Context, ids []string) (map[string]time.Time, error) {
	all := map[string]time.Time{}
	for _, id := range ids {
		all[id] = start
	}
	return all, nil
}

func (usages) Keys(context.Context) ([]api.UsedKey, error) {
	return []api.UsedKey{{APIKey: iam.APIKey{AccessKey: "SCWOURS", OrganizationID: ours.OrganizationID}}, {APIKey: iam.APIKey{AccessKey: "SCWOTHER", OrganizationID: "other"}}}, nil
}

type entries struct{}

func (entries) Entries(_ context.Context, q api.AuditQuery) ([]api.AuditEntry, bool, error) {
	return []api.AuditEntry{{Endpoint: fmt.Sprintf("%s %s %v %d %d", q.Endpoint, q.Object, q.Refused, q.Skip, q.Size)}}, true, nil
}

func newInsightWorld(t *testing.T) *insightWorld {
	t.Helper()
	w := &insightWorld{builds: &builds{}}
	w.world = newWorld(t, func(c *api.Config) {
		var err error
		if w.view, err = live.New(live.Config{Now: c.Now, Streams: 4, KeyStreams: 2}); err != nil {
			t.Fatal(err)
		}
		c.Insight = &api.Insight{
			View: w.view, Metrics: history{w.view}, Builds: w.builds, Audit: entries{}, Usage: usages{}, Version: "1.2.3", HTTPPort: 8081,
			State: func(context.Context) api.ClusterState {
				return api.ClusterState{ServerState: api.ServerState{Version: "1.2.3"}}
			},
			Refused: func(_ context.Context, id string) (int64, time.Time) {
				revoked, _ := w.view.Revocation(id)
				return revoked.Refused, revoked.LastRefused
			},
			Calls: http.HandlerFunc(w.gateway),
		}
	})
	w.follow(w.view)
	key, secretKey := iam.NewAPIKey(ours, start, iam.FullAccess)
	key.Organization = true
	w.update(func(tx functions.Tx) error { return tx.Put(key) })
	w.organization = secretKey.Reveal()
	other := iam.Project{ID: "55555555-5555-4555-8555-555555555555", OrganizationID: "66666666-6666-4666-8666-666666666666", Name: "imported", CreatedAt: start.Add(time.Hour)}
	importedKey, importedSecret := iam.NewAPIKey(other, w.clock.Now(), iam.FullAccess)
	importedKey.Organization = true
	w.update(func(tx functions.Tx) error { return errors.Join(tx.Put(other), tx.Put(importedKey)) })
	w.imported = importedSecret.Reveal()
	return w
}

// gateway answers calls. It records whether the token of the call would be admitted.
func (w *insightWorld) gateway(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	token := r.Header.Get("X-Auth-Token")
	w.called = append(w.called, fmt.Sprintf("%s %s%s %s admitted=%v tls=%v", r.Method, r.Host, r.URL.RequestURI(), body, w.admitted(token), r.TLS != nil))
	rw.Header().Set("X-Request-Id", "call-id")
	switch r.URL.Path {
	case "/binary":
		_, _ = rw.Write([]byte{0xff, 0xfe})
	case "/long":
		_, _ = rw.Write(make([]byte, 3<<20))
	case "/abort":
		panic(http.ErrAbortHandler)
	default:
		rw.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(rw, "hello")
	}
}

func TestInsight_RequiresPermissions(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	f := w.function(w.namespace("n"), "f")
	readOnly, private := w.newKey(ours, time.Time{}, iam.ReadOnly), w.newKey(ours, time.Time{}, iam.PrivateAccess)
	for name, test := range map[string]struct {
		key, method, path string
		status            int
		want              string
	}{
		"session":                     {readOnly, "GET", "/jeton/v1/session", 200, `"actions":["read"]`},
		"session without read":        {private, "GET", "/jeton/v1/session", 403, `"action":"read"`},
		"no key":                      {"", "GET", "/jeton/v1/session", 401, "denied_authentication"},
		"functions":                   {readOnly, "GET", own + "/functions", 200, `"calls":7`},
		"functions of another":        {w.theirs, "GET", own + "/functions", 200, `"functions":[]`},
		"metrics":                     {readOnly, "GET", own + "/metrics", 200, `"calls":[1]`},
		"metrics of another":          {w.theirs, "GET", own + "/metrics", 200, `"calls":[0]`},
		"metrics of a function":       {readOnly, "GET", own + "/metrics?function_id=" + f, 200, `"calls":[1]`},
		"metrics of another function": {w.theirs, "GET", own + "/metrics?function_id=" + f, 404, ""},
		"deployments":                 {readOnly, "GET", own + "/functions/" + f + "/deployments", 200, `"serving":null`},
		"deployments of another":      {w.theirs, "GET", own + "/functions/" + f + "/deployments", 404, ""},
		"log of another":              {w.theirs, "GET", own + "/functions/" + f + "/log", 404, ""},
		"build log of another":        {w.theirs, "GET", own + "/functions/" + f + "/build", 404, ""},
		"call":                        {w.key, "POST", own + "/functions/" + f + "/call", 200, `"status_code":418`},
		"call without the permission": {readOnly, "POST", own + "/functions/" + f + "/call", 403, `"action":"call"`},
		"call of another function":    {w.theirs, "POST", own + "/functions/" + f + "/call", 404, ""},
		"tokens":                      {readOnly, "GET", own + "/tokens", 200, `"total_count":0`},
		"unknown revocation":          {readOnly, "GET", own + "/tokens/" + f + "/revocation", 404, ""},
		"server":                      {w.organization, "GET", "/jeton/v1/state", 200, `"version":"1.2.3"`},
		"server, other organization":  {w.imported, "GET", "/jeton/v1/state", 403, "jeton_server"},
		"keys, other organization":    {w.imported, "GET", "/jeton/v1/api-keys", 403, "jeton_api_key"},
		"audit, other organization":   {w.imported, "GET", "/jeton/v1/audit", 403, "jeton_audit"},
		"server, project key":         {w.key, "GET", "/jeton/v1/state", 403, "jeton_server"},
		"API keys":                    {w.organization, "GET", "/jeton/v1/api-keys", 200, "SCWOURS"},
		"API keys, project key":       {w.key, "GET", "/jeton/v1/api-keys", 403, "jeton_api_key"},
		"audit log":                   {w.organization, "GET", "/jeton/v1/audit?audit_endpoint=DELETE&object=o&refused=true&page=2&page_size=10", 200, "DELETE o true 10 10"},
		"audit log, project key":      {w.key, "GET", "/jeton/v1/audit", 403, "jeton_audit"},
		"wrong order":                 {w.key, "GET", own + "/functions?order_by=size_asc", 400, "order_by"},
		"wrong region":                {w.key, "GET", "/jeton/v1/regions/mars/functions", 400, "region"},
	} {
		a := w.send(test.key, test.method, w.url+test.path, "")
		if a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: got %d %s, want %d with %s", name, a.status, a.body, test.status, test.want)
		}
		if strings.Contains(a.body, "SCWOTHER") {
			t.Errorf("%s: the answer has a key of another organization", name)
		}
	}
}

func TestInsight_AnswersUnavailableWithoutConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/jeton/v1/session", own + "/functions", own + "/events"} {
		if a := w.send(w.key, "GET", w.url+path, ""); a.status != 503 {
			t.Errorf("%s: got %d, want 503", path, a.status)
		}
	}
}

func TestCallFunction_UsesTokenOfOneCall(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	namespace := w.namespace("n")
	f := w.function(namespace, "f")
	call := func(body string) result {
		t.Helper()
		return w.send(w.key, "POST", w.url+own+"/functions/"+f+"/call", body)
	}
	a := call(`{"call_method":"post","path":"/p?q=1","body":"hi","call_headers":[{"name":"X-Auth-Token","value":"mine"},{"name":"Connection","value":"upgrade"}]}`)
	if a.status != 200 || a.text("body") != "hello" || a.text("call_request_id") != "call-id" || a.text("token_id") == "" {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	host := w.must("GET", "/functions/"+f, "").text("domain_name")
	if want := "POST " + host + "/p?q=1 hi admitted=true tls=true"; w.called[0] != want {
		t.Errorf("the gateway has received %s, want %s", w.called[0], want)
	}
	if got := w.must("GET", "/tokens?function_id="+f, "").fields["total_count"]; got != 0.0 {
		t.Errorf("%v tokens are left after the call", got)
	}
	if w.must("PATCH", "/functions/"+f, `{"privacy":"public"}`); call("").text("token_id") != "" {
		t.Error("a call of a public function has a token")
	}
	for body, want := range map[string]string{
		`{"path":"/binary"}`:                               `"body":"//4=","body_is_base64":true,"body_bytes":2`,
		`{"path":"/long"}`:                                 `"body_bytes":3145728,"body_is_truncated":true`,
		`{"path":"/abort"}`:                                `"status_code":0`,
		`{"call_method":"CONNECT"}`:                        "call_method",
		`{"path":"/%zz"}`:                                  `"argument_name":"path"`,
		`{"path":"http://other.example"}`:                  `"status_code":418`,
		`{"call_headers":[{"name":"a b","value":"c"}]}`:    "call_headers",
		`{"call_headers":[{"name":"a","value":"b\r\nc"}]}`: "call_headers",
	} {
		if a := call(body); !strings.Contains(a.body, want) {
			t.Errorf("%s: got %d %.300s, want %s", body, a.status, a.body, want)
		}
	}
	for _, c := range w.called {
		if !strings.Contains(c, " "+host) {
			t.Errorf("a call went to another host: %s", c)
		}
	}
}

func TestSearchTokens_ReturnsScopesAndUses(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	namespace := w.namespace("shop")
	f := w.function(namespace, "cart")
	w.must("POST", "/tokens", `{"function_id":"`+f+`","description":"billing","expires_at":"`+start.Add(24*time.Hour).Format(time.RFC3339)+`"}`)
	w.must("POST", "/tokens", `{"namespace_id":"`+namespace+`","description":"ops"}`)
	for query, want := range map[string]string{
		"":                                     `"namespace_name":"shop"`,
		"?search=BILL":                         `"function_name":"cart"`,
		"?search=bill":                         `"total_count":-1,"more":false`,
		"?expiring=true":                       `"description":"billing"`,
		"?page_size=1":                         `"total_count":2,"more":true`,
		"?function_id=" + f:                    `"total_count":1`,
		"?search=none":                         `"tokens":[]`,
		"?search=" + strings.Repeat("x", 1000): `"tokens":[]`,
	} {
		a := w.send(w.key, "GET", w.url+own+"/tokens"+query, "")
		if a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%q: got %d %s, want %s", query, a.status, a.body, want)
		}
	}
	if a := w.send(w.theirs, "GET", w.url+own+"/tokens?search=billing", ""); !strings.Contains(a.body, `"tokens":[]`) {
		t.Errorf("another project: got %s", a.body)
	}
}

func TestGetRevocation_CountsRefusedCalls(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	f := w.function(w.namespace("n"), "f")
	id := w.must("POST", "/tokens", `{"function_id":"`+f+`"}`).text("id")
	w.must("DELETE", "/tokens/"+id, "")
	w.view.Refused(id, start)
	a := w.send(w.key, "GET", w.url+own+"/tokens/"+id+"/revocation", "")
	if a.status != 200 || a.fields["refused_calls"] != 1.0 {
		t.Errorf("got %d %s, want one refused call", a.status, a.body)
	}
	if a := w.send(w.theirs, "GET", w.url+own+"/tokens/"+id+"/revocation", ""); a.status != 404 {
		t.Errorf("another project: got %d, want 404", a.status)
	}
}

// An events reads server-sent events.
type events struct {
	response *http.Response
	lines    *bufio.Scanner
}

func (w *insightWorld) events(key, path string) *events {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+own+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = response.Body.Close() })
	return &events{response, bufio.NewScanner(response.Body)}
}

// next returns the next event and its data; "closed" at the end of the stream.
func (e *events) next() (name, data string) {
	for e.lines.Scan() {
		if text, ok := strings.CutPrefix(e.lines.Text(), "event: "); ok {
			name = text
		}
		if text, ok := strings.CutPrefix(e.lines.Text(), "data: "); ok {
			return name, text
		}
	}
	return "closed", ""
}

// changesUntil reads events up to the first one of a name, and returns how many changes
// they have. All are of the object. The changes of one object can come in several events.
func (e *events) changesUntil(t *testing.T, want, id, objectName string) (n int) {
	t.Helper()
	for {
		name, data := e.next()
		if name == "changes" {
			var changes []struct{ ID, Name string }
			if err := json.Unmarshal([]byte(data), &changes); err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				if c.ID != id || c.Name != objectName {
					t.Errorf("got a change of %s %s, want only those of %s", c.Name, c.ID, objectName)
				}
			}
			n += len(changes)
		}
		switch {
		case name == want:
			return n
		case name != "changes":
			t.Fatalf("got the event %s, want %s", name, want)
		}
	}
}

func TestFollowEvents_StreamsChangesOfOwnProjects(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	stream := w.events(w.key, "/events")
	if stream.response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %v", stream.response.StatusCode, stream.response.Header)
	}
	// The stream has begun when its first bytes have arrived.
	stream.lines.Scan()
	w.send(w.theirs, "POST", w.url+base+"/namespaces", `{"name":"foreign"}`)
	id := w.namespace("mine")
	if n := stream.changesUntil(t, "changes", id, "mine"); n == 0 {
		t.Error("got no change of the namespace mine")
	}
	w.view.Sampled()
	stream.changesUntil(t, "sample", id, "mine")
	w.view.Reload(store.Position{}).Swap()
	stream.changesUntil(t, "reset", id, "mine")
}

func TestStreams_EndWithAPIKey(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	key, secretKey := iam.NewAPIKey(ours, start, iam.ReadOnly)
	w.update(func(tx functions.Tx) error { return tx.Put(key) })
	stream := w.events(secretKey.Reveal(), "/events")
	stream.lines.Scan()
	w.update(func(tx functions.Tx) error { return tx.Delete(key) })
	if name, _ := stream.next(); name != "end" {
		t.Errorf("got the event %s, want end", name)
	}
	if name, data := stream.next(); name != "closed" {
		t.Errorf("the stream continues with %s %s", name, data)
	}
	await.True(t, "the stream to be released", func() bool { return w.view.Streams() == 0 })
}

func TestStreams_AreLimitedPerKey(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	first := w.events(w.key, "/events")
	first.lines.Scan()
	w.events(w.key, "/events").lines.Scan()
	if third := w.events(w.key, "/events"); third.response.StatusCode != 503 {
		t.Errorf("a third stream of a key: got %d, want 503", third.response.StatusCode)
	}
	_ = first.response.Body.Close()
	await.True(t, "the stream to be released", func() bool { return w.view.Streams() == 1 })
}

func TestFollowBuild_StreamsRunningBuildAndResult(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	f := w.function(w.namespace("n"), "f")
	set := func(running, finished string) {
		w.builds.mu.Lock()
		defer w.builds.mu.Unlock()
		w.builds.running, w.builds.finished = running, finished
	}
	set("", "the previous build")
	stream := w.events(w.key, "/functions/"+f+"/build")
	for _, step := range []struct {
		running, finished, want string
	}{
		{"", "the previous build", `{"text":"the previous build","replace":true,"running":false}`},
		{"compiling", "", `{"text":"compiling","replace":true,"running":true}`},
		{"compiling more", "", `{"text":" more","replace":false,"running":true}`},
		{"", "done", `{"text":"done","replace":true,"running":false}`},
	} {
		set(step.running, step.finished)
		if name, data := stream.next(); name != "build" || data != step.want {
			t.Errorf("got %s %s, want %s", name, data, step.want)
		}
	}
}

// A build may begin and end between two looks at it: its deployment shows that it took place.
func TestFollowBuild_ShowsBuildThatWasNotSeen(t *testing.T) {
	t.Parallel()
	w := newInsightWorld(t)
	id := w.function(w.namespace("n"), "f")
	stream := w.events(w.key, "/functions/"+id+"/build")
	if _, data := stream.next(); data != `{"text":"","replace":true,"running":false}` {
		t.Errorf("got %s, want no build", data)
	}
	w.builds.mu.Lock()
	w.builds.finished = "a short build"
	w.builds.mu.Unlock()
	w.update(func(tx functions.Tx) error {
		f, err := tx.Function(id)
		if err != nil {
			return err
		}
		f.StartDeployment(start)
		return tx.Put(f)
	})
	if _, data := stream.next(); data != `{"text":"a short build","replace":true,"running":false}` {
		t.Errorf("got %s, want the log of the build", data)
	}
}
