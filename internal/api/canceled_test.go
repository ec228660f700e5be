package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
)

// A request whose client disconnects before it is processed changes nothing, and is not
// logged as an error.
func TestCanceledRequest_ChangesNothing(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	directory := iam.NewDirectory()
	project := iam.Project{ID: "11111111-1111-4111-8111-111111111111", OrganizationID: "22222222-2222-4222-8222-222222222222"}
	key, secretKey := iam.NewAPIKey(project, time.Now(), iam.FullAccess)
	directory.Apply(key, false)
	if err := db.Update(t.Context(), func(tx store.Tx) error { return tx.Put(project) }); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	handler := (&api.API{
		Service: &functions.Service{
			Store: store.Functions(db), Limits: functions.DefaultLimits(), Now: time.Now, NewID: uuid.NewString, NewSuffix: func() string { return "suffix00" },
		},
		Keys: directory, Attempts: iam.NewAttempts(0), Now: time.Now, NewID: uuid.NewString,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	}).Handler()
	ask := func(ctx context.Context, method, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(ctx, method, "/functions/v1beta1/regions/fr-par/namespaces", strings.NewReader(body))
		r.Header.Set("X-Auth-Token", secretKey.Reveal())
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if w := ask(canceled, method, `{"name":"n"}`); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "was canceled") {
			t.Errorf("canceled %s: got %d %s, want 503", method, w.Code, w.Body)
		}
	}
	if strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "status=503") {
		t.Errorf("log: got %s, want status 503 and no error", &log)
	}
	if w := ask(t.Context(), http.MethodGet, ""); w.Body.String() != `{"namespaces":[],"total_count":0}` {
		t.Errorf("namespaces afterwards: got %d %s, want none", w.Code, w.Body)
	}
}
