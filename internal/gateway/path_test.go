package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/store"
)

func echoPath(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(r.URL.EscapedPath() + "?" + r.URL.RawQuery + " " + r.Header.Get("X-Forwarded-Prefix")))
}

// callURL calls the gateway at a host that no function has.
func (w *world) callURL(path, token string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://127.0.0.1:8081"+path, http.NoBody)
	request.Header.Set("X-Auth-Token", token)
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, request)
	return answer
}

func TestPaths_AddressFunctions(t *testing.T) {
	w := newWorld(t, echoPath)
	w.config.Table.Apply(store.Change{Object: functions.Namespace{ID: namespaceID, Name: "ns"}})
	w.function(func(f *functions.Function) { f.Name = "f" })
	w.token("good", functions.Token{ID: siblingID, FunctionID: functionID})
	for path, want := range map[string]string{
		"/functions/ns/f":                            "/? /functions/ns/f",
		"/functions/ns/f/":                           "/? /functions/ns/f",
		"/functions/ns/f/a/b%2Fc?q=1":                "/a/b%2Fc?q=1 /functions/ns/f",
		"/functions/" + functionID + "/a":            "/a? /functions/" + functionID,
		"/functions/" + functionID:                   "/? /functions/" + functionID,
		"/functions/" + namespaceID + "/f/functions": "/functions? /functions/" + namespaceID + "/f",
	} {
		if got := w.callURL(path, "good"); got.Code != http.StatusOK || got.Body.String() != want {
			t.Errorf("%s: got %d %s, want 200 %s", path, got.Code, got.Body, want)
		}
	}
	for path, want := range map[string]int{
		"/functions/ns/g": http.StatusNotFound, "/functions/ns": http.StatusNotFound, "/functions/": http.StatusNotFound,
		"/ns/f": http.StatusNotFound, "/functions//f": http.StatusNotFound, "/functions/other/f": http.StatusNotFound,
		"/functions/ns/f/favicon.ico": http.StatusNotFound,
	} {
		if got := w.callURL(path, "good"); got.Code != want {
			t.Errorf("%s: got %d, want %d", path, got.Code, want)
		}
	}
	for _, token := range []string{"", "bad"} {
		if got := w.callURL("/functions/ns/f", token); got.Code != http.StatusForbidden {
			t.Errorf("token %q: got %d, want 403", token, got.Code)
		}
	}
	w.configure(func(c *gateway.Config) { c.HostsOnly = true })
	if got := w.callURL("/functions/ns/f", "good"); got.Code != http.StatusNotFound {
		t.Errorf("paths are disabled: got %d, want 404", got.Code)
	}
}

func TestPaths_AreNotAmbiguous(t *testing.T) {
	w := newWorld(t, echoPath)
	table := w.config.Table
	for _, id := range []string{namespaceID, strangerID} {
		table.Apply(store.Change{Object: functions.Namespace{ID: id, Name: "ns"}})
	}
	public := func(id, namespace string) functions.Function {
		return functions.Function{
			ID: id, NamespaceID: namespace, Name: "f", DomainName: id + ".localhost", Privacy: functions.Public, Timeout: time.Minute, Revision: &functions.Revision{ID: "r"},
		}
	}
	wantStatus := func(name string, want int) {
		t.Helper()
		if got := w.callURL("/functions/ns/f", ""); got.Code != want {
			t.Errorf("%s: got %d, want %d", name, got.Code, want)
		}
	}
	table.Apply(store.Change{Object: public(functionID, namespaceID)})
	wantStatus("one function", http.StatusOK)
	table.Apply(store.Change{Object: public(siblingID, strangerID)})
	wantStatus("two namespaces with the same names", http.StatusNotFound)
	if got := w.callURL("/functions/"+namespaceID+"/f", ""); got.Code != http.StatusOK {
		t.Errorf("by the ID of the namespace: got %d, want 200", got.Code)
	}
	table.Apply(store.Change{Object: public(siblingID, strangerID), Deleted: true})
	wantStatus("the other function was deleted", http.StatusOK)
	table.Apply(store.Change{Object: functions.Namespace{ID: namespaceID, Name: "ns"}, Deleted: true})
	wantStatus("the namespace was deleted", http.StatusNotFound)
}

func TestTiming_IsAnsweredOnRequest(t *testing.T) {
	w := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Jeton-Timing") != "" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	w.function(func(f *functions.Function) { f.Privacy = functions.Public })
	for asked, want := range map[string]string{"": "", "1": "instance;desc=warm;dur="} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host, http.NoBody)
		if asked != "" {
			request.Header.Set("X-Jeton-Timing", asked)
		}
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, request)
		got := answer.Header().Get("Server-Timing")
		if answer.Code != http.StatusOK || !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("header %q: got %d %q, want 200 %q", asked, answer.Code, got, want)
		}
	}
}
