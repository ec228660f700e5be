package gateway_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
)

// newLimitedWorld returns a gateway with limits and the tokens one and two.
func newLimitedWorld(t *testing.T, limits gateway.Limits, function http.HandlerFunc) *world {
	t.Helper()
	w := newWorld(t, function, func(c *gateway.Config) { c.Limits = limits })
	w.function(nil)
	w.token("one", functions.Token{ID: tokenID(1), FunctionID: functionID})
	w.token("two", functions.Token{ID: tokenID(2), FunctionID: functionID})
	return w
}

func TestLimits_Rates(t *testing.T) {
	t.Parallel()
	type step struct {
		after time.Duration
		token string
		want  int
	}
	for name, test := range map[string]struct {
		limits gateway.Limits
		steps  []step
	}{
		"none": {gateway.Limits{}, []step{{0, "one", 200}, {0, "one", 200}, {0, "one", 200}}},
		"of the function": {gateway.Limits{FunctionRate: 1, FunctionBurst: 2}, []step{
			{0, "one", 200},
			{0, "two", 200},
			{0, "one", 429},
			{time.Second, "two", 200},
			{0, "one", 429},
			// Denied calls do not count.
			{time.Second, "none", 403},
			{0, "one", 200},
		}},
		"of callers": {gateway.Limits{CallerRate: 0.5, CallerBurst: 1}, []step{
			{0, "one", 200}, {0, "one", 429}, {0, "two", 200}, {time.Second, "one", 429}, {time.Second, "one", 200},
		}},
		"of both": {gateway.Limits{CallerRate: 1, CallerBurst: 1, FunctionRate: 2, FunctionBurst: 2}, []step{
			// Excess calls of a caller do not use up the function's rate.
			{0, "one", 200}, {0, "one", 429}, {0, "one", 429}, {0, "two", 200}, {0, "two", 429},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLimitedWorld(t, test.limits, echo)
			for i, s := range test.steps {
				w.mu.Lock()
				w.clock = w.clock.Add(s.after)
				w.mu.Unlock()
				got := w.call("X-Auth-Token", s.token)
				if got.Code != s.want || (got.Code == 429) != (got.Header().Get("Retry-After") != "") {
					t.Errorf("step %d: got status %d with Retry-After %q, want %d", i, got.Code, got.Header().Get("Retry-After"), s.want)
				}
			}
		})
	}
}

func TestLimits_CountUnauthenticatedCallersByAddress(t *testing.T) {
	t.Parallel()
	w := newLimitedWorld(t, gateway.Limits{CallerRate: 1, CallerBurst: 1}, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	w.configure(func(c *gateway.Config) { c.Proxies = proxies(t, "10.0.0.0/8") })
	for i, step := range []struct {
		peer, forwarded string
		want            int
	}{
		{"192.0.2.1:1", "", 200},
		{"192.0.2.1:2", "", 429},
		// X-Forwarded-For of an untrusted peer is ignored.
		{"192.0.2.1:3", "198.51.100.1", 429},
		{"[2001:db8::1]:1", "", 200},
		{"[2001:db8::2]:1", "", 429},
		{"[2001:db8:0:1::1]:1", "", 200},
		// The caller is the last address that is not a trusted proxy.
		{"10.0.0.1:1", "203.0.113.1", 200},
		{"10.0.0.1:1", "203.0.113.2", 200},
		{"10.0.0.2:1", "6.6.6.6, 203.0.113.1, 10.0.0.9", 429},
		{"10.0.0.1:1", "nonsense", 200},
		{"10.0.0.1:1", "", 429},
	} {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/", nil)
		r.RemoteAddr = step.peer
		if step.forwarded != "" {
			r.Header.Set("X-Forwarded-For", step.forwarded)
		}
		if got := w.send(r).Code; got != step.want {
			t.Errorf("step %d, from %s for %q: got status %d, want %d", i, step.peer, step.forwarded, got, step.want)
		}
	}
}

func TestLimits_ConcurrentCalls(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]gateway.Limits{
		"of the function": {FunctionCalls: 1}, "of the caller": {CallerCalls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entered, proceed := make(chan struct{}, 9), make(chan struct{})
			w := newLimitedWorld(t, limits, func(rw http.ResponseWriter, _ *http.Request) {
				entered <- struct{}{}
				<-proceed
				_, _ = io.WriteString(rw, "done")
			})
			first := make(chan int)
			go func() { first <- w.call("X-Auth-Token", "one").Code }()
			<-entered
			if got := w.call("X-Auth-Token", "one"); got.Code != 429 || got.Header().Get("Retry-After") != "1" {
				t.Errorf("second concurrent call: got status %d, want 429", got.Code)
			}
			close(proceed)
			other := w.call("X-Auth-Token", "two").Code
			if name == "of the caller" && other != 200 {
				t.Errorf("call of another caller: got status %d, want 200", other)
			}
			if got := <-first; got != 200 {
				t.Errorf("first call: got status %d, want 200", got)
			}
			if got := w.call("X-Auth-Token", "one").Code; got != 200 {
				t.Errorf("call after the first: got status %d, want 200", got)
			}
		})
	}
}
