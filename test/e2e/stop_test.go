package e2e_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
)

// heldCall is a call in progress.
type heldCall struct{ status chan int }

// hold starts a call that lasts until the outside releases it, and returns after the call has
// reached the function. The status is 0 if the connection fails.
func (w *world) hold(f *function.Function, o *outside, name string, protocols *http.Protocols) heldCall {
	w.t.Helper()
	call := heldCall{make(chan int, 1)}
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	r := must[*http.Request](w.t)(http.NewRequestWithContext(context.WithoutCancel(w.t.Context()), http.MethodGet, w.GatewayURL+"/"+name, nil))
	r.Host = f.DomainName
	go func() {
		response, err := client.Do(r)
		if err != nil {
			call.status <- 0
			return
		}
		response.Body.Close()
		call.status <- response.StatusCode
	}()
	await.True(w.t, name+" is called", func() bool {
		select {
		case status := <-call.status:
			w.t.Fatalf("%s ended with status %d before it reached the function", name, status)
		default:
		}
		return o.count("/"+name) > 0
	})
	return call
}

// slow deploys a function that answers /fast immediately, and every other path once the outside
// releases it.
func (w *world) slow(o *outside) *function.Function {
	w.t.Helper()
	return w.function(python(w.namespace("slow").ID, "f"), o.handler(
		"if event['path'] != '/fast': meet(event['path']).wait()",
		"return 'done'",
	))
}

// A stopping server first reports that it is not ready, then refuses new connections,
// and completes the calls in progress.
func TestStop_CompletesCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside, func(c *server.Config) { c.StopDelay, c.StopTimeout = 2*time.Second, patience })
	o := newOutside(t)
	f := w.slow(o)
	http1, http2 := new(http.Protocols), new(http.Protocols)
	http1.SetHTTP1(true)
	http2.SetUnencryptedHTTP2(true)
	calls := map[string]heldCall{"HTTP/1.1": w.hold(f, o, "one", http1), "HTTP/2": w.hold(f, o, "two", http2)}
	status, _ := w.ops("/readyz")
	wantStatus(t, "readyz before", status, 200)

	stopped := make(chan struct{})
	go func() { w.Stop(); close(stopped) }()
	await.True(t, "the server reports that it stops", func() bool { status, body := w.ops("/readyz"); return status == 503 && body == "stopping\n" })
	status, _ = w.call(f, "/fast", "")
	wantStatus(t, "a call before the listener closes", status, 200)
	await.True(t, "new connections are refused", func() bool {
		connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.GatewayURL, "http://"))
		if err == nil {
			connection.Close()
		}
		return err != nil
	})
	status, _ = w.ops("/healthz")
	wantStatus(t, "healthz while calls end", status, 200)
	for name, call := range calls {
		select {
		case status := <-call.status:
			t.Errorf("%s: the call in progress ended with status %d", name, status)
		default:
		}
	}
	o.release()
	for name, call := range calls {
		wantStatus(t, "the call in progress over "+name, <-call.status, 200)
	}
	<-stopped
}

// A call that never ends does not prevent the stop.
func TestStop_EndsCallsAfterTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, seenFromOutside, func(c *server.Config) { c.StopTimeout = 200 * time.Millisecond })
	o := newOutside(t)
	f := w.slow(o)
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	call := w.hold(f, o, "one", http1)
	w.Stop()
	if status := <-call.status; status == 200 {
		t.Error("the call that never ends got an answer")
	}
	if !strings.Contains(w.Log.String(), "calls were interrupted") {
		t.Error("the log does not report that a call was ended")
	}
}
