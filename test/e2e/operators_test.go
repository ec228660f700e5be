package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/test/await"
)

// ops sends a request to the operators' listener.
func (w *world) ops(path string) (int, string) {
	w.t.Helper()
	status, _, body := w.send(http.MethodGet, w.OpsURL+path, nil, nil)
	return status, body
}

func wantLines(t *testing.T, text string, patterns ...string) {
	t.Helper()
	for _, pattern := range patterns {
		if !regexp.MustCompile("(?m)" + pattern).MatchString(text) {
			t.Errorf("no line matches %s in:\n%s", pattern, text)
		}
	}
}

func TestOps_ReadinessAndMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	await.True(t, "the server is ready", func() bool { status, _ := w.ops("/readyz"); return status == 200 })
	_, report := w.ops("/readyz")
	wantLines(t, report, `^start: ok$`, `^store: ok$`, `^changes: ok$`, `^engine: ok$`)
	status, _ := w.ops("/healthz")
	wantStatus(t, "healthz", status, 200)
	status, _ = w.ops("/debug/pprof/")
	wantStatus(t, "profiles that are not enabled", status, 404)

	request := python(w.namespace("measured").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return 'hello'"))
	issued := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	status, _ = w.call(f, "/", issued.Token)
	wantStatus(t, "a call", status, 200)
	must[*function.Token](t)(w.DeleteToken(&function.DeleteTokenRequest{TokenID: issued.ID}))
	status, _ = w.call(f, "/", issued.Token)
	wantStatus(t, "a call with the revoked token", status, 403)

	_, measured := w.ops("/metrics")
	id := `function_id="` + f.ID + `"`
	wantLines(t, measured,
		`^jeton_function_info\{`+id+`,name="f",namespace="measured",namespace_id="`+f.NamespaceID+`"\} 1$`,
		`^jeton_calls_total\{class="2xx",`+id+`\} 1$`,
		`^jeton_calls_total\{class="4xx",`+id+`\} 1$`,
		`^jeton_admissions_total\{reason="token",result="admitted"\} 1$`,
		`^jeton_admissions_total\{reason="revoked_token",result="refused"\} 1$`,
		`^jeton_instances\{`+id+`,state="idle"\} 1$`,
		`^jeton_queue_length\{`+id+`\} 0$`,
		`^jeton_instance_starts_total\{result="ready"\} 1$`,
		`^jeton_build_duration_seconds_count\{result="succeeded"\} 1$`,
		`^jeton_deployment_duration_seconds_count\{result="succeeded"\} 1$`,
		`^jeton_revocation_seconds_count 1$`,
		`^jeton_changes_behind 0$`,
	)
	if strings.Contains(measured, issued.Token[:200]) || strings.Contains(measured, w.SecretKey) {
		t.Error("the metrics contain a secret")
	}
	wantLines(t, w.Log.String(), `msg=call request_id=\S+ function_id=`+f.ID+` method=GET status=200 took=\S+ function=\S+ path=\S+ token_id=`+issued.ID+` waited=\S+ instance=\S+$`)

	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	await.True(t, "the function's series are removed", func() bool {
		_, measured := w.ops("/metrics")
		return !strings.Contains(measured, f.ID)
	})
}

// The public keys verify tokens.
func TestOps_PublicKeysVerifyTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	published := func() []token.PublicKey {
		status, header, body := w.send(http.MethodGet, w.APIURL+"/.well-known/jwks.json", nil, nil)
		wantStatus(t, "the key set, without an API key", status, 200)
		if got := header.Get("Content-Type"); got != "application/jwk-set+json" {
			t.Errorf("got key set %s", got)
		}
		return must[[]token.PublicKey](t)(token.ParseKeys([]byte(body)))
	}
	if keys := published(); len(keys) != 0 {
		t.Errorf("without a namespace: got %d keys, want 0", len(keys))
	}
	n := w.namespace("verified")
	issued := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{NamespaceID: &n.ID}))
	parsed := must[token.Text](t)(token.Parse(issued.Token))
	keyID := must[string](t)(parsed.VerifySignature(published()))
	fromAPI := must[[]token.PublicKey](t)(token.ParseKeys([]byte(*issued.PublicKey)))
	if keyID != fromAPI[0].ID || parsed.ID != issued.ID || parsed.NamespaceID != n.ID {
		t.Errorf("verified by %s, want %s: %+v", keyID, fromAPI[0].ID, parsed)
	}
	w.restart()
	must[string](t)(parsed.VerifySignature(published()))
	must[*function.Namespace](t)(w.DeleteNamespace(&function.DeleteNamespaceRequest{NamespaceID: n.ID}))
	if keys := published(); len(keys) != 0 {
		t.Errorf("after the deletion of the namespace: got %d keys, want 0", len(keys))
	}
}

// spans is a small OpenTelemetry collector that stores the received bytes.
type spans struct {
	mu  sync.Mutex
	got strings.Builder
}

func (s *spans) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got.Write(body)
}

func TestTracing_SpansOfCallsWithoutSecrets(t *testing.T) {
	collected := &spans{}
	collector := httptest.NewServer(collected)
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	w := newWorld(t)
	request := python(w.namespace("traced").ID, "f")
	request.Privacy = function.FunctionPrivacyPrivate
	f := w.function(request, pythonHandler("return event['headers'].get('Traceparent', '')"))
	issued := must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID}))
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	_, _, seen := w.send(http.MethodGet, w.GatewayURL, nil, http.Header{
		"Host": {f.DomainName}, "X-Auth-Token": {issued.Token}, "Traceparent": {"00-" + trace + "-" + caller + "-01"},
	})
	if !strings.Contains(seen, trace) || strings.Contains(seen, caller) {
		t.Errorf("the function got %q", seen)
	}
	w.Stop()
	sent := collected.got.String()
	for _, part := range []string{
		"call", "admission", "wait", "forward", "deployment", "build",
		"POST /functions/v1beta1/regions/{region}/functions/{id}/deploy", f.ID, issued.ID,
	} {
		if !strings.Contains(sent, part) {
			t.Errorf("the spans do not contain %s", part)
		}
	}
	for name, secret := range map[string]string{"the token": issued.Token[:100], "the API key": w.SecretKey} {
		if strings.Contains(sent, secret) {
			t.Errorf("a span contains %s", name)
		}
	}
}
