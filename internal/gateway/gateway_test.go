package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/test/testlog"
)

const (
	namespaceID = "d049a22d-92fd-48a5-9b3f-8c5633c313d3"
	functionID  = "a570d8b5-572f-49c2-9821-f3e363d3f2dc"
	siblingID   = "b570d8b5-572f-49c2-9821-f3e363d3f2dc"
	strangerID  = "c049a22d-92fd-48a5-9b3f-8c5633c313d3"
	projectID   = "11111111-1111-4111-8111-111111111111"
	host        = "ns-f.functions.fnc.fr-par.localhost"
)

var start = time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)

// world is a gateway in front of one real HTTP server on a unix socket, which
// stands for every instance.
type world struct {
	*gateway.Gateway
	t         *testing.T
	directory *iam.Directory
	handler   http.Handler
	log       *testlog.Buffer

	mu        sync.Mutex
	clock     time.Time
	err       error
	released  int
	discarded int
	address   string
}

func newWorld(t *testing.T, function http.HandlerFunc) *world {
	t.Helper()
	w := &world{t: t, directory: iam.NewDirectory(), log: &testlog.Buffer{}, clock: start}
	w.address = filepath.Join(t.TempDir(), "s")
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "unix", w.address)
	if err != nil {
		t.Fatal(err)
	}
	instance := httptest.NewUnstartedServer(function)
	instance.Listener = listener
	instance.Start()
	t.Cleanup(instance.Close)
	w.Gateway = &gateway.Gateway{
		Table: gateway.NewTable(), Keys: w.directory, Instances: w,
		Now:   func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.clock },
		NewID: func() string { return "made-here" },
		Log:   slog.New(slog.NewTextHandler(w.log, nil)),
	}
	w.handler = w.Handler()
	return w
}

func (w *world) Acquire(context.Context, string) (*scale.Instance, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, w.err
	}
	return &scale.Instance{ID: "instance", Address: w.address}, nil
}

func (w *world) Release(*scale.Instance) { w.mu.Lock(); defer w.mu.Unlock(); w.released++ }
func (w *world) Discard(*scale.Instance) { w.mu.Lock(); defer w.mu.Unlock(); w.discarded++ }

func (w *world) function(change func(*functions.Function)) {
	f := functions.Function{
		ID: functionID, NamespaceID: namespaceID, ProjectID: projectID, DomainName: host, Privacy: functions.Private,
		HTTPOption: functions.HTTPEnabled, Timeout: time.Minute, Status: functions.Ready, Revision: &functions.Revision{ID: "r"},
	}
	if change != nil {
		change(&f)
	}
	w.Table.Apply(functions.Change{Object: f})
}

func (w *world) token(text string, t functions.Token) functions.Token {
	t.Digest = functions.DigestOf(text)
	w.Table.Apply(functions.Change{Object: t})
	return t
}

// apiKey makes an API key, and returns its secret key.
func (w *world) apiKey(project string, permissions ...string) string {
	key, secretKey := iam.NewAPIKey(iam.Project{ID: project}, start, permissions...)
	w.directory.Apply(key, false)
	return secretKey.Reveal()
}

func (w *world) call(headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://"+host+"/path?q=1", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return w.send(r)
}

func (w *world) send(r *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	return recorder
}

func tokenID(n int) string { return fmt.Sprintf("70000000-0000-4000-8000-%012d", n) }

func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Seen-Token", strings.Join(append(r.Header.Values("X-Auth-Token"), r.Header.Values("SCW_FUNCTIONS_TOKEN")...), ","))
	w.Header().Set("X-Seen-Host", r.Host)
	w.Header().Set("X-Seen-Forwarded-For", r.Header.Get("X-Forwarded-For"))
	w.Header().Set("X-Request-Id", "the function's own")
	w.Header().Set("X-Seen-Request-Id", r.Header.Get("X-Request-Id"))
	received, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(received)
	_, _ = io.WriteString(w, r.URL.RequestURI())
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("of function", functions.Token{ID: tokenID(1), FunctionID: functionID})
	w.token("of namespace", functions.Token{ID: tokenID(2), NamespaceID: namespaceID})
	w.token("of sibling", functions.Token{ID: tokenID(3), FunctionID: siblingID})
	w.token("of stranger", functions.Token{ID: tokenID(4), NamespaceID: strangerID})
	w.token("expired", functions.Token{ID: tokenID(5), FunctionID: functionID, ExpiresAt: start})
	w.token("good for a moment", functions.Token{ID: tokenID(6), FunctionID: functionID, ExpiresAt: start.Add(1)})
	w.token("without scope", functions.Token{ID: tokenID(7)})
	revoked := w.token("revoked", functions.Token{ID: tokenID(8), FunctionID: functionID})
	w.Table.Apply(functions.Change{Object: revoked, Deleted: true})
	secretKey := w.apiKey(projectID, iam.PrivateAccess)
	otherSecret := w.apiKey(strangerID, iam.FullAccess)
	powerless := w.apiKey(projectID, "FunctionsReadOnly")

	const header = "X-Auth-Token"
	tests := map[string]struct {
		headers []string
		status  int
		refused string
	}{
		"no token":                    {nil, 403, "no token"},
		"empty token":                 {[]string{header, ""}, 403, "no token"},
		"token of the function":       {[]string{header, "of function"}, 200, ""},
		"token of the namespace":      {[]string{header, "of namespace"}, 200, ""},
		"token of another function":   {[]string{header, "of sibling"}, 403, "token of another function"},
		"token of another namespace":  {[]string{header, "of stranger"}, 403, "token of another namespace"},
		"token without scope":         {[]string{header, "without scope"}, 403, "token without a scope"},
		"expired this very instant":   {[]string{header, "expired"}, 403, "expired token"},
		"not yet expired":             {[]string{header, "good for a moment"}, 200, ""},
		"revoked":                     {[]string{header, "revoked"}, 403, "unknown token"},
		"one bit changed":             {[]string{header, "of functioo"}, 403, "unknown token"},
		"one byte more":               {[]string{header, "of function "}, 403, "unknown token"},
		"a megabyte":                  {[]string{header, strings.Repeat("x", 1<<20)}, 403, "unknown token"},
		"older header":                {[]string{"SCW-Functions-Token", "of function"}, 200, ""},
		"oldest header":               {[]string{"SCW_FUNCTIONS_TOKEN", "of function"}, 200, ""},
		"bearer is no token":          {[]string{"Authorization", "Bearer of function"}, 403, "no token"},
		"the same one twice":          {[]string{header, "of function", "SCW-Functions-Token", "of function"}, 200, ""},
		"two different ones":          {[]string{header, "of function", "SCW-Functions-Token", "x"}, 403, "several different tokens"},
		"two different in one header": {[]string{header, "of function", header, "x"}, 403, "several different tokens"},
		"API key of the project":      {[]string{header, secretKey}, 200, ""},
		"API key of another project":  {[]string{header, otherSecret}, 403, "API key of another project"},
		"API key without the grant":   {[]string{header, powerless}, 403, "API key without the grant"},
		"unknown API key":             {[]string{header, "99999999-9999-4999-8999-999999999999"}, 403, "unknown API key"},
	}
	var refusal string
	for name, test := range tests {
		before := len(w.log.String())
		got := w.call(test.headers...)
		if got.Code != test.status {
			t.Errorf("%s: status %d, want %d", name, got.Code, test.status)
		}
		logged := w.log.String()[before:]
		if test.refused != "" && !strings.Contains(logged, "refused="+quoted(test.refused)) {
			t.Errorf("%s: the log does not say why: %s", name, logged)
		}
		if test.status == 200 && strings.HasPrefix(test.headers[1], "of ") && !strings.Contains(logged, "token_id=70000000-") {
			t.Errorf("%s: the log does not name the token: %s", name, logged)
		}
		if strings.Contains(logged, "of function"+`"`) || strings.Contains(logged, secretKey) {
			t.Errorf("%s: the log shows the token: %s", name, logged)
		}
		if test.status != 403 {
			continue
		}
		if text := got.Body.String() + headerText(got); refusal == "" {
			refusal = text
		} else if text != refusal {
			t.Errorf("%s: the refusal reads %q, others %q", name, text, refusal)
		}
		if got.Header().Get("Access-Control-Allow-Origin") != "*" || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: headers %v", name, got.Header())
		}
	}
}

func quoted(reason string) string {
	if strings.Contains(reason, " ") {
		return strconv.Quote(reason)
	}
	return reason
}

func headerText(r *httptest.ResponseRecorder) string {
	var b strings.Builder
	_ = r.Header().Write(&b)
	return b.String()
}

func TestTableFollowsChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	status := func() int { return w.call().Code }
	if got := status(); got != 404 {
		t.Errorf("before there is a function: %d", got)
	}
	w.function(nil)
	if got := status(); got != 403 {
		t.Errorf("a private function without token: %d", got)
	}
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	if got := status(); got != 200 {
		t.Errorf("made public: %d", got)
	}
	w.function(func(f *functions.Function) { f.Privacy = "" })
	if got := status(); got != 403 {
		t.Errorf("neither public nor private: %d", got)
	}
	w.function(func(f *functions.Function) { f.Privacy, f.Status = functions.Public, functions.Failed })
	if got := status(); got != 200 {
		t.Errorf("in error, with a revision that serves: %d", got)
	}
	w.function(func(f *functions.Function) { f.Privacy, f.Revision = functions.Public, nil })
	if got := status(); got != 503 {
		t.Errorf("not deployed: %d", got)
	}
	w.function(func(f *functions.Function) { f.Status = functions.Deleting })
	if got := status(); got != 404 {
		t.Errorf("being deleted: %d", got)
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	for name, want := range map[string]int{
		host: 200, host + ":8081": 200, host + ".": 200, host + ".:80": 200, strings.ToUpper(host): 200,
		"other." + host: 404, "localhost": 404, "": 404, ":80": 404, "[::1]:80": 404, host + "/x": 404, "a\x00b": 404,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = name
		got := w.send(r)
		if got.Code != want {
			t.Errorf("%q: status %d, want %d", name, got.Code, want)
		}
		if want == 404 && (got.Header().Get("Content-Type") != "application/json" || !strings.HasPrefix(got.Body.String(), `{"message":`)) {
			t.Errorf("%q: %v %s", name, got.Header(), got.Body)
		}
	}
}

func TestForward(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("token", functions.Token{ID: tokenID(1), FunctionID: functionID})
	got := w.call("X-Auth-Token", "token", "SCW_FUNCTIONS_TOKEN", "token", "X-Forwarded-For", "6.6.6.6", "X-Request-Id", "mine")
	for name, want := range map[string]string{
		"X-Seen-Token": "", "X-Seen-Host": host, "X-Seen-Forwarded-For": "192.0.2.1", "X-Seen-Request-Id": "mine", "X-Request-Id": "mine",
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Content-Type",
	} {
		if got.Header().Get(name) != want {
			t.Errorf("%s is %q, want %q", name, got.Header().Get(name), want)
		}
	}
	if ids := got.Header().Values("X-Request-Id"); len(ids) != 1 {
		t.Errorf("the answer has the request ids %q, want one", ids)
	}
	if got.Body.String() != "/path?q=1" || w.released != 1 || w.discarded != 0 {
		t.Errorf("body %q, released %d, discarded %d", got.Body, w.released, w.discarded)
	}
	if got := w.call("X-Auth-Token", "token", "X-Request-Id", "two\nlines").Header().Get("X-Request-Id"); got != "made-here" {
		t.Errorf("a request id with a line break becomes %q", got)
	}
	w.PassToken = true
	if got := w.call("X-Auth-Token", "token").Header().Get("X-Seen-Token"); got != "token" {
		t.Errorf("the function sees %q, want its token", got)
	}
}

func TestFunctionsHeadersWin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "https://example.org")
		w.WriteHeader(http.StatusTeapot)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	got := w.call()
	if got.Code != http.StatusTeapot || got.Header().Get("Access-Control-Allow-Origin") != "https://example.org" {
		t.Errorf("%d %v", got.Code, got.Header())
	}
}

func TestWaysNotToBeServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	for name, test := range map[string]struct {
		request func(*http.Request)
		status  int
		says    string
	}{
		"HTTP/1.0":               {func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 1, 0 }, 426, "HTTP/1.1"},
		"favicon":                {func(r *http.Request) { r.URL.Path = "/favicon.ico" }, 404, "not found"},
		"robots":                 {func(r *http.Request) { r.URL.Path = "/robots.txt" }, 404, "not found"},
		"too long a body":        {func(r *http.Request) { r.ContentLength = 6<<20 + 1 }, 413, "max payload size = 6291456 bytes"},
		"too long, of no length": {func(r *http.Request) { body(r, 6<<20+1) }, 413, "max payload size = 6291456 bytes"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", nil)
		test.request(r)
		got := w.send(r)
		if got.Code != test.status || !strings.Contains(got.Body.String(), test.says) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body.String()[:min(got.Body.Len(), 100)])
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", nil)
	body(r, 6<<20)
	if got := w.send(r); got.Code != 200 || got.Body.Len() != 6<<20+1 {
		t.Errorf("6 MiB exactly: %d, %d bytes", got.Code, got.Body.Len())
	}
	w.function(func(f *functions.Function) { f.Privacy, f.HTTPOption = functions.Public, functions.HTTPRedirected })
	if got := w.call(); got.Code != 301 || got.Header().Get("Location") != "https://"+host+"/path?q=1" {
		t.Errorf("redirected: %d to %s", got.Code, got.Header().Get("Location"))
	}
}

// body gives a request a body of unknown length.
func body(r *http.Request, length int64) {
	r.Body = io.NopCloser(io.LimitReader(zeros{}, length))
	r.ContentLength = -1
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestNoInstance(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err    error
		status int
		retry  string
	}{
		"queue is full":    {scale.ErrQueueFull, 503, "1"},
		"waited too long":  {context.DeadlineExceeded, 503, "1"},
		"does not start":   {&scale.StartError{Reason: "exit status 1"}, 502, ""},
		"unknown revision": {scale.ErrUnknownRevision, 502, ""},
	} {
		w := newWorld(t, echo)
		w.function(func(f *functions.Function) { f.Privacy = functions.Public })
		w.err = test.err
		got := w.call()
		if got.Code != test.status || got.Header().Get("Retry-After") != test.retry || strings.Contains(got.Body.String(), "exit status") {
			t.Errorf("%s: %d, Retry-After %q, %s", name, got.Code, got.Header().Get("Retry-After"), got.Body)
		}
	}
}

func TestBrokenInstances(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		function http.HandlerFunc
		status   int
	}{
		"crash before the answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 502},
		"hang":                    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 504},
	} {
		w := newWorld(t, test.function)
		w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, 50*time.Millisecond })
		if got := w.call(); got.Code != test.status {
			t.Errorf("%s: status %d, want %d", name, got.Code, test.status)
		}
		if w.discarded != 1 || w.released != 0 {
			t.Errorf("%s: discarded %d, released %d", name, w.discarded, w.released)
		}
	}
}

func TestCrashWithinTheAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	front := httptest.NewServer(w.handler)
	t.Cleanup(front.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	response, err := http.DefaultClient.Do(r)
	if err == nil {
		// Whether a part of the answer has gone out is a matter of buffers.
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		t.Errorf("the caller reads half an answer with %v, and cannot tell", err)
	}
	front.Close()
	if w.discarded != 1 || w.released != 0 {
		t.Errorf("discarded %d, released %d", w.discarded, w.released)
	}
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{host, host + ":1", "", "[::1]", ".", strings.Repeat("a.", 200)} {
		f.Add(seed)
	}
	table := gateway.NewTable()
	g := &gateway.Gateway{
		Table: table, Keys: iam.NewDirectory(), Now: time.Now, NewID: func() string { return "id" }, Log: slog.New(slog.DiscardHandler),
	}
	handler := g.Handler()
	f.Fuzz(func(t *testing.T, name string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = name
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if recorder.Code != 404 {
			t.Errorf("%q: status %d from an empty table", name, recorder.Code)
		}
	})
}

func FuzzAdmission(f *testing.F) {
	f.Add("X-Auth-Token", "x")
	f.Add("SCW_FUNCTIONS_TOKEN", "eyJhbGciOiJub25lIn0.e30.")
	f.Add("X-Auth-Token", "99999999-9999-4999-8999-999999999999")
	table := gateway.NewTable()
	table.Apply(functions.Change{Object: functions.Function{
		ID: functionID, NamespaceID: namespaceID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
	}})
	table.Apply(functions.Change{Object: functions.Token{ID: tokenID(0), FunctionID: functionID, Digest: functions.DigestOf("the one and only")}})
	g := &gateway.Gateway{
		Table: table, Keys: iam.NewDirectory(), Now: time.Now, NewID: func() string { return "id" }, Log: slog.New(slog.DiscardHandler),
	}
	handler := g.Handler()
	f.Fuzz(func(t *testing.T, name, value string) {
		if value == "the one and only" {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		r.Header.Set(name, value)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusForbidden {
			t.Errorf("%q: %q is answered with %d", name, value, recorder.Code)
		}
	})
}

func TestAdmissionTurnedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("token", functions.Token{ID: tokenID(0), FunctionID: functionID})
	key := w.apiKey(projectID, iam.FullAccess)
	for name, test := range map[string]struct{ refuseTokens, refuseKeys bool }{
		"neither": {}, "tokens": {refuseTokens: true}, "keys": {refuseKeys: true}, "both": {true, true},
	} {
		w.RefuseTokens, w.RefuseKeys = test.refuseTokens, test.refuseKeys
		if got := w.call("X-Auth-Token", "token").Code == 200; got == test.refuseTokens {
			t.Errorf("%s: a token is admitted: %v", name, got)
		}
		if got := w.call("X-Auth-Token", key).Code == 200; got == test.refuseKeys {
			t.Errorf("%s: an API key is admitted: %v", name, got)
		}
	}
}

func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
			w.Header().Set("Seen-"+name, strings.Join(r.Header.Values(name), " | "))
		}
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	w.Proxies = gateway.Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	spoofed := http.Header{
		"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"evil"}, "Forwarded": {"for=6.6.6.6"},
	}
	for name, test := range map[string]struct {
		peer string
		want [4]string
	}{
		"a stranger":      {"192.0.2.1:1", [4]string{"192.0.2.1", "http", host, "for=192.0.2.1;proto=http"}},
		"over IPv6":       {"[2001:db8::1]:1", [4]string{"2001:db8::1", "http", host, `for="[2001:db8::1]";proto=http`}},
		"a trusted proxy": {"10.1.2.3:1", [4]string{"6.6.6.6, 10.1.2.3", "https", "evil", "for=6.6.6.6, for=10.1.2.3;proto=http"}},
		"mapped to IPv6":  {"[::ffff:10.1.2.3]:1", [4]string{"6.6.6.6, ::ffff:10.1.2.3", "https", "evil", `for=6.6.6.6, for="[::ffff:10.1.2.3]";proto=http`}},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr, r.Header = test.peer, spoofed.Clone()
		got := w.send(r).Header()
		for i, header := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} {
			if got.Get("Seen-"+header) != test.want[i] {
				t.Errorf("%s: %s is %q, want %q", name, header, got.Get("Seen-"+header), test.want[i])
			}
		}
	}
	w.function(func(f *functions.Function) { f.Privacy, f.HTTPOption = functions.Public, functions.HTTPRedirected })
	for peer, want := range map[string]int{"192.0.2.1:1": 301, "10.1.2.3:1": 200} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr, r.Header = peer, spoofed.Clone()
		if got := w.send(r).Code; got != want {
			t.Errorf("https at the proxy %s: status %d, want %d", peer, got, want)
		}
	}
}

func BenchmarkAdmission(b *testing.B) {
	for _, known := range []int{10, 1_000_000} {
		b.Run(fmt.Sprint(known, " tokens"), func(b *testing.B) {
			table := gateway.NewTable()
			token := strings.Repeat("x", 1060)
			for i := range known {
				table.Apply(functions.Change{Object: functions.Token{
					ID: tokenID(i), FunctionID: functionID, Digest: functions.DigestOf(fmt.Sprint(i)),
				}})
			}
			table.Apply(functions.Change{Object: functions.Token{ID: tokenID(0), FunctionID: functionID, Digest: functions.DigestOf(token)}})
			table.Apply(functions.Change{Object: functions.Function{
				ID: functionID, NamespaceID: namespaceID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
			}})
			g := &gateway.Gateway{Table: table, Keys: iam.NewDirectory()}
			header := http.Header{"X-Auth-Token": {token}, "Accept": {"*/*"}, "User-Agent": {"bench"}}
			b.ReportAllocs()
			for b.Loop() {
				if !g.Admits(header, host, start) {
					b.Fatal("refused")
				}
			}
		})
	}
}

// dialHeld opens a connection to the world's gateway.
func dialHeld(t *testing.T, w *world) net.Conn {
	t.Helper()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", strictServer(t, w))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// given waits until the instance is given back.
func (w *world) given(t *testing.T) (released, discarded int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		w.mu.Lock()
		released, discarded = w.released, w.discarded
		w.mu.Unlock()
		if released+discarded > 0 {
			return released, discarded
		}
		<-time.After(5 * time.Millisecond)
	}
	t.Fatal("the instance is still held")
	return 0, 0
}

// A caller that takes nothing, or sends nothing, holds an instance no longer
// than the function's timeout.
func TestCallersThatHoldOn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request  string
		function http.HandlerFunc
	}{
		"takes nothing": {"GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}},
		"sends nothing": {"POST / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 100\r\n\r\nx", echo},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, test.function)
			w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, 200*time.Millisecond })
			_, _ = io.WriteString(dialHeld(t, w), test.request)
			if _, discarded := w.given(t); discarded != 1 {
				t.Error("the instance is used again")
			}
		})
	}
}

func TestBadBodyIsTheCallersFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	connection := dialHeld(t, w)
	_, _ = io.WriteString(connection, "POST / HTTP/1.1\r\nHost: "+host+"\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
	answer, err := io.ReadAll(connection)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("%q, %v", answer, err)
	}
}

// waiting hands out its instance when it is told to.
type waiting struct {
	*world
	called, proceed chan struct{}
}

func (w *waiting) Acquire(ctx context.Context, revision string) (*scale.Instance, error) {
	close(w.called)
	<-w.proceed
	return w.world.Acquire(ctx, revision)
}

func TestRevokedWhileWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	token := w.token("token", functions.Token{ID: tokenID(1), FunctionID: functionID})
	queue := &waiting{world: w, called: make(chan struct{}), proceed: make(chan struct{})}
	w.Instances = queue
	got := make(chan int)
	go func() { got <- w.call("X-Auth-Token", "token").Code }()
	<-queue.called
	w.Table.Apply(functions.Change{Object: token, Deleted: true})
	close(queue.proceed)
	if status := <-got; status != 403 || w.released != 1 {
		t.Errorf("status %d, released %d", status, w.released)
	}
}

func TestBrokenAnswerIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, 100*time.Millisecond })
	w.call()
	if logged := w.log.String(); !strings.Contains(logged, "status=200") || !strings.Contains(logged, "did not answer in time") {
		t.Errorf("the log does not tell: %s", logged)
	}
}

func TestHintsAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusTeapot)
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+strictServer(t, w), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if ids := got.Header.Values("X-Request-Id"); got.StatusCode != http.StatusTeapot || len(ids) != 1 {
		t.Errorf("%d with request ids %q", got.StatusCode, ids)
	}
}

// A call that runs out of time leaves nothing behind on its connection.
func TestCallAfterATimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
	})
	w.function(func(f *functions.Function) { f.Privacy, f.Timeout = functions.Public, 100*time.Millisecond })
	front := "http://" + strictServer(t, w)
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for i, path := range []string{"/", "/hang", "/", "/hang", "/", "/"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := client.Do(r)
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		response.Body.Close()
		if want := map[string]int{"/": 200, "/hang": 504}[path]; response.StatusCode != want {
			t.Errorf("call %d, %s: status %d, want %d", i, path, response.StatusCode, want)
		}
	}
}
