package gateway_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
)

type seenKey struct{}

// watcher is an Observer that stores the last outcome.
type watcher struct {
	outcome gateway.Outcome
	ended   int
	// own means that End got the request that Begin returned.
	own bool
}

func (w *watcher) Begin(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), seenKey{}, w))
}

func (w *watcher) End(r *http.Request, o gateway.Outcome) {
	w.outcome, w.own = o, r.Context().Value(seenKey{}) == w
	w.ended++
}

func TestObserver_GetsOutcome(t *testing.T) {
	t.Parallel()
	const token = "the.token.itself"
	for name, test := range map[string]struct {
		token   string
		change  func(*functions.Function)
		failure error
		want    gateway.Outcome
		timed   string
	}{
		"admitted":     {token: token, want: gateway.Outcome{Status: 200, Private: true, TokenID: tokenID(1), InstanceID: "instance"}, timed: "decided acquired"},
		"refused":      {token: "other", want: gateway.Outcome{Status: 403, Private: true, Reason: "unknown token"}, timed: "decided"},
		"public":       {change: func(f *functions.Function) { f.Privacy = functions.Public }, want: gateway.Outcome{Status: 200, InstanceID: "instance"}, timed: "acquired"},
		"not answered": {token: token, failure: io.ErrUnexpectedEOF, want: gateway.Outcome{Status: 503, Private: true, TokenID: tokenID(1), Failure: io.ErrUnexpectedEOF}, timed: "decided"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watched := &watcher{}
			w := newWorld(t, echo, func(c *gateway.Config) { c.Observer = watched })
			w.function(test.change)
			w.token(token, functions.Token{ID: tokenID(1), FunctionID: functionID})
			w.err = test.failure
			w.call("X-Auth-Token", test.token)
			got := watched.outcome
			test.want.RequestID, test.want.FunctionID, test.want.NamespaceID = "made-here", functionID, namespaceID
			test.want.Method, test.want.Path = http.MethodGet, "/path"
			var timed []string
			for _, at := range []struct {
				name string
				time time.Time
			}{{"decided", got.Decided}, {"acquired", got.Acquired}} {
				if !at.time.IsZero() {
					timed = append(timed, at.name)
				}
			}
			if got.Began.IsZero() || got.Ended.IsZero() || strings.Join(timed, " ") != test.timed || !watched.own || watched.ended != 1 {
				t.Errorf("got %d calls of End, own request %v, times %+v, want 1 call with the times %s", watched.ended, watched.own, got, test.timed)
			}
			got.Began, got.Decided, got.Acquired, got.Ended = time.Time{}, time.Time{}, time.Time{}, time.Time{}
			if got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// A call whose client has disconnected is not counted as a failure of the function.
func TestOutcome_HasNoStatusIfClientDisconnects(t *testing.T) {
	t.Parallel()
	for name, waiting := range map[string]error{"while the function works": nil, "in the queue": context.Canceled} {
		ctx, disconnect := context.WithCancel(t.Context())
		watched := &watcher{}
		w := newWorld(t, func(_ http.ResponseWriter, r *http.Request) { disconnect(); <-r.Context().Done() },
			func(c *gateway.Config) { c.Observer = watched })
		w.err = waiting
		w.function(func(f *functions.Function) { f.Privacy = functions.Public })
		if waiting != nil {
			disconnect()
		}
		w.send(httptest.NewRequestWithContext(ctx, http.MethodGet, "http://"+host+"/", nil))
		if got := watched.outcome; got.Status != 0 || !errors.Is(got.Failure, context.Canceled) {
			t.Errorf("%s: got status %d, failure %v, want 0 and context.Canceled", name, got.Status, got.Failure)
		}
	}
}

func TestOutcome_Waited(t *testing.T) {
	t.Parallel()
	at := func(milliseconds int) time.Time { return start.Add(time.Duration(milliseconds) * time.Millisecond) }
	for name, test := range map[string]struct {
		outcome gateway.Outcome
		want    time.Duration
	}{
		"public":      {gateway.Outcome{Began: at(0), Acquired: at(5)}, 5 * time.Millisecond},
		"private":     {gateway.Outcome{Began: at(0), Decided: at(2), Acquired: at(5)}, 3 * time.Millisecond},
		"no instance": {gateway.Outcome{Began: at(0), Decided: at(2)}, 0},
	} {
		if got := test.outcome.Waited(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}
