package admin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/functions"
)

func TestProjects_AreCreatedAndListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Advance(time.Minute)
	made, err := w.CreateProject(t.Context(), "a team")
	if err != nil || made.OrganizationID != first.OrganizationID || !made.CreatedAt.Equal(start.Add(time.Minute)) || w.last().Object != made.ID {
		t.Errorf("CreateProject() = %+v, %v, observed as %+v", made, err, w.last())
	}
	for name, code := range map[string]functions.Code{
		"a team": functions.AlreadyExists, "default": functions.AlreadyExists, "": functions.InvalidArgument, made.ID: functions.InvalidArgument,
		"two\nlines": functions.InvalidArgument, strings.Repeat("x", 201): functions.InvalidArgument,
	} {
		_, err := w.CreateProject(t.Context(), name)
		wantCode(t, fmt.Sprintf("%.20q", name), err, code)
	}
	all, err := w.Projects(t.Context())
	if err != nil || len(all) != 2 || all[0].ID != first.ID || all[1].ID != made.ID {
		t.Errorf("Projects() = %+v, %v", all, err)
	}
	if o := w.last(); o.Changes || o.Status != 200 {
		t.Errorf("a list is observed as %+v", o)
	}
}

func TestTokens_ListsAllPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const (
		count        = 2500
		namespace    = "10000000-0000-4000-8000-000000000000"
		f            = "20000000-0000-4000-8000-000000000000"
		ofFunctionID = "30000000-0000-4000-8000-000000000000"
	)
	id := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
	objects := []functions.Object{
		functions.Namespace{ID: namespace, Region: "fr-par", ProjectID: first.ID, Name: "n"},
		functions.Function{ID: f, Region: "fr-par", ProjectID: first.ID, NamespaceID: namespace, Name: "f"},
		functions.Token{ID: ofFunctionID, Region: "fr-par", ProjectID: first.ID, FunctionID: f, ExpiresAt: start},
	}
	for n := range count {
		objects = append(objects, functions.Token{
			ID: id(n), Region: "fr-par", ProjectID: first.ID, NamespaceID: namespace, CreatedAt: start.Add(time.Duration(n)),
			Digest: functions.DigestOf(fmt.Sprint(n)),
		})
	}
	w.put(t, objects...)
	ofNamespace, err := w.Tokens(t.Context(), namespace, "")
	if err != nil || len(ofNamespace) != count || ofNamespace[0].ID != id(0) || ofNamespace[count-1].ID != id(count-1) {
		t.Errorf("got %d tokens of the namespace, %v", len(ofNamespace), err)
	}
	ofFunction, err := w.Tokens(t.Context(), "", f)
	if err != nil || len(ofFunction) != 1 || ofFunction[0].ExpiresAt == nil || ofFunction[0].LastUsedAt != nil {
		t.Errorf("got the tokens of the function %+v, %v", ofFunction, err)
	}
	for name, test := range map[string]struct {
		namespace, function string
		code                functions.Code
	}{
		"neither": {"", "", functions.InvalidArgument}, "both": {"n", "f", functions.InvalidArgument},
		"no namespace": {"x", "", functions.NotFound}, "no function": {"", "n", functions.NotFound},
	} {
		_, err := w.Tokens(t.Context(), test.namespace, test.function)
		wantCode(t, name, err, test.code)
	}
}

// raw sends a request that the client would not send, and returns the status and body.
func (w *world) raw(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", w.socket)
	}}
	request, err := http.NewRequestWithContext(t.Context(), method, "http://jeton"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestHandler_RefusesBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, test := range map[string]struct {
		method, path, body string
		status             int
	}{
		"no JSON":         {"POST", "/projects", "{", 400},
		"another type":    {"POST", "/projects", `{"name":7}`, 400},
		"a list":          {"POST", "/api-keys", `[]`, 400},
		"no body":         {"POST", "/projects", "", 400},
		"no time":         {"POST", "/api-keys", `{"expires_at":"tomorrow"}`, 400},
		"too large":       {"POST", "/projects", `{"name":"` + strings.Repeat("x", 70<<10) + `"}`, 400},
		"an invalid page": {"GET", "/tokens?namespace_id=n&page=x", "", 404},
		"a negative page": {"GET", "/tokens?namespace_id=n&page=-9", "", 404},
		"no endpoint":     {"GET", "/", "", 404},
		"another method":  {"PUT", "/projects", "", 405},
	} {
		if status, body := w.raw(t, test.method, test.path, test.body); status != test.status || strings.Contains(body, "panic") {
			t.Errorf("%s: got %d %s, want %d", name, status, body, test.status)
		}
	}
	if all, err := w.Projects(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("afterwards Projects() = %+v, %v", all, err)
	}
}

func TestClient_ReportsMissingServer(t *testing.T) {
	t.Parallel()
	if _, err := admin.NewClient("/no/such/socket").Projects(t.Context()); err == nil || !strings.Contains(err.Error(), "send a request to the server") {
		t.Errorf("Projects() = %v", err)
	}
}
