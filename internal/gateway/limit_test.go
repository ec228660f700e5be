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

// limited is a world whose gateway has limits, and two tokens.
func limited(t *testing.T, limits gateway.Limits, function http.HandlerFunc) *world {
	t.Helper()
	w := newWorld(t, function, func(g *gateway.Gateway) { g.Limits = limits })
	w.function(nil)
	w.token("one", functions.Token{ID: tokenID(1), FunctionID: functionID})
	w.token("two", functions.Token{ID: tokenID(2), FunctionID: functionID})
	return w
}

func TestLimits_OfRates(t *testing.T) {
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
			// A call that is not admitted does not count.
			{time.Second, "none", 403},
			{0, "one", 200},
		}},
		"of callers": {gateway.Limits{CallerRate: 0.5, CallerBurst: 1}, []step{
			{0, "one", 200}, {0, "one", 429}, {0, "two", 200}, {time.Second, "one", 429}, {time.Second, "one", 200},
		}},
		"of both": {gateway.Limits{CallerRate: 1, CallerBurst: 1, FunctionRate: 2, FunctionBurst: 2}, []step{
			// What one sends too much does not use up the function's rate.
			{0, "one", 200}, {0, "one", 429}, {0, "one", 429}, {0, "two", 200}, {0, "two", 429},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := limited(t, test.limits, echo)
			for i, s := range test.steps {
				w.mu.Lock()
				w.clock = w.clock.Add(s.after)
				w.mu.Unlock()
				got := w.call("X-Auth-Token", s.token)
				if got.Code != s.want || (got.Code == 429) != (got.Header().Get("Retry-After") != "") {
					t.Errorf("step %d: %d with Retry-After %q, want %d", i, got.Code, got.Header().Get("Retry-After"), s.want)
				}
			}
		})
	}
}

func TestLimits_OfUnauthenticatedCallers(t *testing.T) {
	t.Parallel()
	w := limited(t, gateway.Limits{CallerRate: 1, CallerBurst: 1}, echo)
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	w.Proxies = proxies(t, "10.0.0.0/8")
	for i, step := range []struct {
		peer, forwarded string
		want            int
	}{
		{"192.0.2.1:1", "", 200},
		{"192.0.2.1:2", "", 429},
		// What a stranger claims does not count.
		{"192.0.2.1:3", "198.51.100.1", 429},
		{"[2001:db8::1]:1", "", 200},
		{"[2001:db8::2]:1", "", 429},
		{"[2001:db8:0:1::1]:1", "", 200},
		// A trusted proxy tells of its callers; the last stranger counts.
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
			t.Errorf("step %d, from %s for %q: %d, want %d", i, step.peer, step.forwarded, got, step.want)
		}
	}
}

func TestLimits_OfCallsAtATime(t *testing.T) {
	t.Parallel()
	for name, limits := range map[string]gateway.Limits{
		"of the function": {FunctionCalls: 1}, "of the caller": {CallerCalls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entered, leave := make(chan struct{}, 9), make(chan struct{})
			w := limited(t, limits, func(rw http.ResponseWriter, _ *http.Request) {
				entered <- struct{}{}
				<-leave
				_, _ = io.WriteString(rw, "done")
			})
			first := make(chan int)
			go func() { first <- w.call("X-Auth-Token", "one").Code }()
			<-entered
			if got := w.call("X-Auth-Token", "one"); got.Code != 429 || got.Header().Get("Retry-After") != "1" {
				t.Errorf("a second call: %d", got.Code)
			}
			close(leave)
			other := w.call("X-Auth-Token", "two").Code
			if name == "of the caller" && other != 200 {
				t.Errorf("another caller: %d", other)
			}
			if got := <-first; got != 200 {
				t.Errorf("the first call: %d", got)
			}
			if got := w.call("X-Auth-Token", "one").Code; got != 200 {
				t.Errorf("after it has ended: %d", got)
			}
		})
	}
}
