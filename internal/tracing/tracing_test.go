package tracing_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/tracing"
)

// receiver is an OTLP collector that stores the spans by name.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string]*wire.Span
	raw   strings.Builder
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{spans: map[string]*wire.Span{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		var export collector.ExportTraceServiceRequest
		if err != nil || request.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.raw.Write(body)
		for _, resource := range export.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					r.spans[span.Name] = span
				}
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// attributes returns the attributes of a span as text.
func attributes(span *wire.Span) map[string]string {
	found := map[string]string{}
	for _, a := range span.GetAttributes() {
		found[a.Key] = strings.Trim(strings.SplitN(a.Value.String(), ":", 2)[1], `" `)
	}
	return found
}

func start(t *testing.T) *tracing.Tracer {
	t.Helper()
	tracer, err := tracing.Start(t.Context(), "1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func closeTracer(t *testing.T, tracer *tracing.Tracer) {
	t.Helper()
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestStart_ReturnsNilUnlessEnabled(t *testing.T) {
	for name, environment := range map[string]map[string]string{
		"nothing set":      {},
		"disabled":         {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"no exporter":      {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
		"another exporter": {"OTEL_TRACES_EXPORTER": "console"},
		"metrics only":     {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range environment {
				t.Setenv(variable, value)
			}
			if tracer := start(t); tracer != nil {
				t.Error("got a tracer, want nil")
			}
		})
	}
}

func TestStart_RefusesGRPC(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	if _, err := tracing.Start(t.Context(), "", slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "http/protobuf") {
		t.Errorf("got %v, want an error that names http/protobuf", err)
	}
}

const secret = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.secret.secret"

func request(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("X-Auth-Token", secret)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	return r
}

func TestCalls_CreatesSpans(t *testing.T) {
	receiver := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	t.Setenv("OTEL_SERVICE_NAME", "named-by-the-operator")
	tracer := start(t)
	calls := tracer.Calls()
	r := calls.Begin(request(http.MethodGet, "/?password="+secret))
	forwarded := r.Header.Get("Traceparent")
	began := time.Now()
	calls.End(r, gateway.Outcome{
		RequestID: "request", FunctionID: "function", NamespaceID: "namespace", Status: 502, Private: true,
		TokenID: "token", InstanceID: "instance", Failure: errors.New("it broke"),
		Began: began, Decided: began.Add(time.Millisecond), Acquired: began.Add(3 * time.Millisecond), Ended: began.Add(10 * time.Millisecond),
	})
	closeTracer(t, tracer)

	call := receiver.spans["call"]
	if call == nil || call.Kind != wire.Span_SPAN_KIND_SERVER || call.Status.GetCode() != wire.Status_STATUS_CODE_ERROR {
		t.Fatalf("got span %v, want a failed server span", call)
	}
	got := attributes(call)
	for key, want := range map[string]string{
		"jeton.request.id": "request", "jeton.function.id": "function", "jeton.namespace.id": "namespace",
		"http.request.method": "GET", "http.response.status_code": "502",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	if !strings.Contains(forwarded, hex(call.TraceId)) || !strings.Contains(forwarded, hex(call.SpanId)) ||
		hex(call.TraceId) != "0af7651916cd43dd8448eb211c80319c" || hex(call.ParentSpanId) != "b7ad6b7169203331" {
		t.Errorf("got traceparent %s for span %x of trace %x", forwarded, call.SpanId, call.TraceId)
	}
	for name, duration := range map[string]time.Duration{"admission": time.Millisecond, "wait": 2 * time.Millisecond, "forward": 7 * time.Millisecond} {
		child := receiver.spans[name]
		if child == nil || string(child.ParentSpanId) != string(call.SpanId) || time.Duration(child.EndTimeUnixNano-child.StartTimeUnixNano) != duration {
			t.Errorf("%s: got %v, want a child span of %s", name, child, duration)
		}
	}
	if got := attributes(receiver.spans["admission"]); got["jeton.token.id"] != "token" || got["jeton.admitted"] != "true" {
		t.Errorf("admission: got attributes %v", got)
	}
	wantNoSecret(t, receiver)
	if !strings.Contains(receiver.raw.String(), "named-by-the-operator") {
		t.Error("the spans do not contain OTEL_SERVICE_NAME")
	}
}

func hex(id []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, b := range id {
		text.WriteByte(digits[b>>4])
		text.WriteByte(digits[b&15])
	}
	return text.String()
}

func wantNoSecret(t *testing.T, r *receiver) {
	t.Helper()
	if strings.Contains(r.raw.String(), "secret") || r.raw.Len() == 0 {
		t.Errorf("got %d bytes, want some without the secret", r.raw.Len())
	}
}

func TestCalls_CreatesChildSpansOfReachedSteps(t *testing.T) {
	began := time.Now()
	for name, test := range map[string]struct {
		outcome gateway.Outcome
		spans   string
	}{
		"refused":      {gateway.Outcome{Status: 403, Private: true, Reason: "no token", Began: began, Decided: began, Ended: began}, "admission"},
		"public":       {gateway.Outcome{Status: 200, Began: began, Acquired: began.Add(1), Ended: began.Add(2)}, "forward wait"},
		"unknown host": {gateway.Outcome{Status: 404, Began: began, Ended: began}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			receiver := newReceiver(t)
			t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.URL+"/v1/traces")
			tracer := start(t)
			r := tracer.Calls().Begin(request("MADE-UP", "/"))
			tracer.Calls().End(r, test.outcome)
			closeTracer(t, tracer)
			var spans []string
			for _, span := range []string{"admission", "forward", "wait"} {
				if receiver.spans[span] != nil {
					spans = append(spans, span)
				}
			}
			if got := strings.Join(spans, " "); got != test.spans {
				t.Errorf("got child spans %q, want %q", got, test.spans)
			}
			if got := attributes(receiver.spans["call"])["http.request.method"]; got != "_OTHER" {
				t.Errorf("got method %s, want _OTHER", got)
			}
			wantNoSecret(t, receiver)
		})
	}
}

func TestRequests_CreatesSpan(t *testing.T) {
	receiver := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	tracer := start(t)
	r := tracer.Requests().Begin(request(http.MethodPut, "/archives?signature="+secret))
	tracer.Requests().End(r, api.Outcome{RequestID: "request", Endpoint: "PUT /archives/{id}", Status: 200, AccessKey: "SCW1"})
	closeTracer(t, tracer)
	span := receiver.spans["PUT /archives/{id}"]
	if got := attributes(span); span == nil || got["http.route"] != "/archives/{id}" || got["jeton.access_key"] != "SCW1" || got["http.response.status_code"] != "200" {
		t.Errorf("got span %v", span)
	}
	wantNoSecret(t, receiver)
}

func TestTasks_CreatesSpans(t *testing.T) {
	receiver := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.URL)
	tracer := start(t)
	f := functions.Function{ID: "function", Runtime: "python311", Variables: map[string]string{"A": secret}}
	ctx, deployed := tracer.Tasks().Begin(context.Background(), reconcile.Deployment, f)
	_, built := tracer.Tasks().Begin(ctx, reconcile.Build, f)
	built(reconcile.Succeeded)
	deployed(reconcile.Failed)
	closeTracer(t, tracer)
	deployment, build := receiver.spans["deployment"], receiver.spans["build"]
	if build == nil || string(build.ParentSpanId) != string(deployment.GetSpanId()) || attributes(build)["jeton.result"] != "succeeded" {
		t.Errorf("got build %v, want a child of the deployment", build)
	}
	if got := attributes(deployment); got["jeton.result"] != "failed" || got["jeton.runtime"] != "python311" || deployment.Status.GetCode() != wire.Status_STATUS_CODE_ERROR {
		t.Errorf("got deployment %v, want a failure", deployment)
	}
	wantNoSecret(t, receiver)
}
