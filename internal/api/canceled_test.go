package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A request whose client disconnects before it is processed changes nothing, and is not
// logged as an error.
func TestCanceledRequest_ChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	handler := w.Handler()
	ask := func(ctx context.Context, method, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, method, "/functions/v1beta1/regions/fr-par/namespaces", strings.NewReader(body))
		r.Header.Set("X-Auth-Token", w.key)
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		return recorder
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if a := ask(canceled, method, `{"name":"n"}`); a.Code != http.StatusServiceUnavailable || !strings.Contains(a.Body.String(), "was canceled") {
			t.Errorf("canceled %s: got %d %s, want 503", method, a.Code, a.Body)
		}
	}
	if strings.Contains(w.log.String(), "level=ERROR") || !strings.Contains(w.log.String(), "status=503") {
		t.Errorf("log: got %s, want status 503 and no error", w.log)
	}
	if a := ask(t.Context(), http.MethodGet, ""); a.Body.String() != `{"namespaces":[],"total_count":0}` {
		t.Errorf("namespaces afterwards: got %d %s, want none", a.Code, a.Body)
	}
}
