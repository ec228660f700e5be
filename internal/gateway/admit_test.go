package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
)

func TestAdmit_TokensAndKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("of function", functions.Token{ID: tokenID(1), FunctionID: functionID})
	w.token("of namespace", functions.Token{ID: tokenID(2), NamespaceID: namespaceID})
	w.token("of sibling", functions.Token{ID: tokenID(3), FunctionID: siblingID})
	w.token("of stranger", functions.Token{ID: tokenID(4), NamespaceID: strangerID})
	w.token("expired", functions.Token{ID: tokenID(5), FunctionID: functionID, ExpiresAt: start})
	w.token("not yet expired", functions.Token{ID: tokenID(6), FunctionID: functionID, ExpiresAt: start.Add(1)})
	w.token("without scope", functions.Token{ID: tokenID(7)})
	revoked := w.token("revoked", functions.Token{ID: tokenID(8), FunctionID: functionID})
	w.config.Table.Apply(store.Change{Object: revoked, Deleted: true})
	secretKey := w.apiKey(projectID, iam.PrivateAccess)
	otherSecret := w.apiKey(strangerID, iam.FullAccess)
	readOnly := w.apiKey(projectID, iam.ReadOnly)
	expired := w.expiringKey(projectID, start, iam.FullAccess)
	nearlyExpired := w.expiringKey(projectID, start.Add(1), iam.FullAccess)

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
		"expired":                     {[]string{header, "expired"}, 403, "expired token"},
		"not yet expired":             {[]string{header, "not yet expired"}, 200, ""},
		"revoked":                     {[]string{header, "revoked"}, 403, "revoked token"},
		"one bit changed":             {[]string{header, "of functioo"}, 403, "unknown token"},
		"one byte more":               {[]string{header, "of function "}, 403, "unknown token"},
		"a megabyte":                  {[]string{header, strings.Repeat("x", 1<<20)}, 403, "unknown token"},
		"older header":                {[]string{"SCW-Functions-Token", "of function"}, 200, ""},
		"oldest header":               {[]string{"SCW_FUNCTIONS_TOKEN", "of function"}, 200, ""},
		"Authorization header":        {[]string{"Authorization", "Bearer of function"}, 403, "no token"},
		"same token twice":            {[]string{header, "of function", "SCW-Functions-Token", "of function"}, 200, ""},
		"two different tokens":        {[]string{header, "of function", "SCW-Functions-Token", "x"}, 403, "several different tokens"},
		"two different in one header": {[]string{header, "of function", header, "x"}, 403, "several different tokens"},
		"API key of the project":      {[]string{header, secretKey}, 200, ""},
		"API key of another project":  {[]string{header, otherSecret}, 403, "API key of another project"},
		"API key without the grant":   {[]string{header, readOnly}, 403, "API key without the grant"},
		"expired API key":             {[]string{header, expired}, 403, "expired API key"},
		"API key not yet expired":     {[]string{header, nearlyExpired}, 200, ""},
		"unknown API key":             {[]string{header, "99999999-9999-4999-8999-999999999999"}, 403, "unknown API key"},
	}
	var refusal string
	for name, test := range tests {
		before := len(w.log.String())
		got := w.call(test.headers...)
		if got.Code != test.status {
			t.Errorf("%s: got status %d, want %d", name, got.Code, test.status)
		}
		logged := w.log.String()[before:]
		if test.refused != "" && !strings.Contains(logged, "refused="+quoted(test.refused)) {
			t.Errorf("%s: got log %s, want the reason %q", name, logged, test.refused)
		}
		known := test.status == 200 && strings.HasPrefix(test.headers[1], "of ") || test.refused == "revoked token"
		if known && !strings.Contains(logged, "token_id=70000000-") {
			t.Errorf("%s: got log %s, want the token ID", name, logged)
		}
		if strings.Contains(logged, "of function"+`"`) || strings.Contains(logged, secretKey) {
			t.Errorf("%s: the log contains the token: %s", name, logged)
		}
		if test.status != 403 {
			continue
		}
		if text := got.Body.String() + headerText(got); refusal == "" {
			refusal = text
		} else if text != refusal {
			t.Errorf("%s: got %q, want the answer of all other denials, %q", name, text, refusal)
		}
		if got.Header().Get("Access-Control-Allow-Origin") != "*" || got.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: got headers %v", name, got.Header())
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

func TestTable_AppliesChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	status := func() int { return w.call().Code }
	if got := status(); got != 404 {
		t.Errorf("no function: got status %d, want 404", got)
	}
	w.function(nil)
	if got := status(); got != 403 {
		t.Errorf("private function without a token: got status %d, want 403", got)
	}
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	if got := status(); got != 200 {
		t.Errorf("public function: got status %d, want 200", got)
	}
	w.function(func(f *functions.Function) { f.Privacy = "" })
	if got := status(); got != 403 {
		t.Errorf("unknown privacy: got status %d, want 403", got)
	}
	w.function(func(f *functions.Function) { f.Privacy, f.Status = functions.Public, functions.Failed })
	if got := status(); got != 200 {
		t.Errorf("failed function with a revision: got status %d, want 200", got)
	}
	w.function(func(f *functions.Function) { f.Privacy, f.Revision = functions.Public, nil })
	if got := status(); got != 503 {
		t.Errorf("function without a revision: got status %d, want 503", got)
	}
	w.function(func(f *functions.Function) { f.Status = functions.Deleting })
	if got := status(); got != 404 {
		t.Errorf("function in deletion: got status %d, want 404", got)
	}
}

func FuzzAdmission(f *testing.F) {
	f.Add("X-Auth-Token", "x")
	f.Add("SCW_FUNCTIONS_TOKEN", "eyJhbGciOiJub25lIn0.e30.")
	f.Add("X-Auth-Token", "99999999-9999-4999-8999-999999999999")
	table := gateway.NewTable()
	table.Apply(store.Change{Object: functions.Function{
		ID: functionID, NamespaceID: namespaceID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
	}})
	table.Apply(store.Change{Object: functions.Token{ID: tokenID(0), FunctionID: functionID, Digest: functions.DigestOf("the one and only")}})
	handler := newGateway(f, configOf(table)).Handler()
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
			t.Errorf("%q: %q: got status %d, want 403", name, value, recorder.Code)
		}
	})
}

func TestTable_RoutesCustomHostnames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("token", functions.Token{ID: tokenID(0), FunctionID: functionID})
	call := func(name string, headers ...string) int {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = name
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return w.send(r).Code
	}
	want := func(name string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got status %d, want %d", name, got, want)
		}
	}
	domain := functions.Domain{ID: tokenID(1), FunctionID: functionID, Hostname: "api.example.com", Status: functions.Pending}
	w.config.Table.Apply(store.Change{Object: domain})
	want("pending domain", call("api.example.com", "X-Auth-Token", "token"), 404)
	domain.Status = functions.Ready
	w.config.Table.Apply(store.Change{Object: domain})
	want("ready domain with a token", call("API.example.com.:8081", "X-Auth-Token", "token"), 200)
	want("ready domain without a token", call("api.example.com"), 403)
	other := functions.Domain{ID: tokenID(2), FunctionID: siblingID, Hostname: "api.example.com"}
	w.config.Table.Apply(store.Change{Object: other, Deleted: true})
	want("after the deletion of another function's domain", call("api.example.com", "X-Auth-Token", "token"), 200)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	want("public function", call("api.example.com"), 200)
	w.config.Table.Apply(store.Change{Object: domain, Deleted: true})
	want("deleted domain", call("api.example.com"), 404)
	want("own hostname of the function", call(host), 200)
}

func TestAdmit_RefuseTokensAndKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("token", functions.Token{ID: tokenID(0), FunctionID: functionID})
	key := w.apiKey(projectID, iam.FullAccess)
	for name, test := range map[string]struct{ refuseTokens, refuseKeys bool }{
		"neither": {}, "tokens": {refuseTokens: true}, "keys": {refuseKeys: true}, "both": {true, true},
	} {
		w.configure(func(c *gateway.Config) { c.RefuseTokens, c.RefuseKeys = test.refuseTokens, test.refuseKeys })
		if got := w.call("X-Auth-Token", "token").Code == 200; got == test.refuseTokens {
			t.Errorf("%s: token: got admitted %v", name, got)
		}
		if got := w.call("X-Auth-Token", key).Code == 200; got == test.refuseKeys {
			t.Errorf("%s: API key: got admitted %v", name, got)
		}
	}
}

func BenchmarkAdmission(b *testing.B) {
	for _, test := range []struct {
		name   string
		known  int
		issuer string
	}{{"10 tokens", 10, ""}, {"1000000 tokens", 1_000_000, ""}, {"10 imported tokens", 10, "api.scaleway.com"}} {
		b.Run(test.name, func(b *testing.B) {
			table := gateway.NewTable()
			token := strings.Repeat("x", 1060)
			for i := range test.known {
				table.Apply(store.Change{Object: functions.Token{
					ID: tokenID(i), FunctionID: functionID, Digest: functions.DigestOf(fmt.Sprint(i)),
				}})
			}
			table.Apply(store.Change{Object: functions.Token{ID: tokenID(0), FunctionID: functionID, Digest: functions.DigestOf(token), Issuer: test.issuer}})
			table.Apply(store.Change{Object: functions.Function{
				ID: functionID, NamespaceID: namespaceID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
			}})
			g := newGateway(b, configOf(table))
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

// BenchmarkRefusal compares the time of denials with different reasons: it must not reveal
// whether a token exists.
func BenchmarkRefusal(b *testing.B) {
	table := gateway.NewTable()
	text := func(n int) string { return strings.Repeat(fmt.Sprint(n), 1060) }
	for i, t := range []functions.Token{{FunctionID: siblingID}, {FunctionID: functionID, ExpiresAt: start}, {NamespaceID: strangerID}} {
		t.ID, t.Digest = tokenID(i), functions.DigestOf(text(i))
		table.Apply(store.Change{Object: t})
	}
	table.Apply(store.Change{Object: functions.Function{
		ID: functionID, NamespaceID: namespaceID, DomainName: host, Privacy: functions.Private, Timeout: time.Minute,
	}})
	g := newGateway(b, configOf(table))
	for n, reason := range []string{"of another function", "expired", "of another namespace", "unknown"} {
		b.Run(reason, func(b *testing.B) {
			header := http.Header{"X-Auth-Token": {text(n)}}
			b.ReportAllocs()
			for b.Loop() {
				if g.Admits(header, host, start) {
					b.Fatal("admitted")
				}
			}
		})
	}
}

// waiting is an Instances whose Acquire returns when proceed is closed.
type waiting struct {
	*world
	called, proceed chan struct{}
}

func (w *waiting) TryAcquire(string) *scale.Instance { return nil }

func (w *waiting) Acquire(ctx context.Context, revision string) (*scale.Instance, error) {
	close(w.called)
	<-w.proceed
	return w.world.Acquire(ctx, revision)
}

func TestCall_IsDeniedIfTokenIsRevokedWhileWaiting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	token := w.token("token", functions.Token{ID: tokenID(1), FunctionID: functionID})
	queue := &waiting{world: w, called: make(chan struct{}), proceed: make(chan struct{})}
	w.configure(func(c *gateway.Config) { c.Instances = queue })
	got := make(chan int)
	go func() { got <- w.call("X-Auth-Token", "token").Code }()
	<-queue.called
	w.config.Table.Apply(store.Change{Object: token, Deleted: true})
	close(queue.proceed)
	if status := <-got; status != 403 || w.released != 1 {
		t.Errorf("got status %d and %d released instances, want 403 and 1", status, w.released)
	}
}
