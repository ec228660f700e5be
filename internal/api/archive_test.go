package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/iam"
)

// outcomes is an Observer that records outcomes.
type outcomes struct{ all []api.Outcome }

func (o *outcomes) Begin(r *http.Request) *http.Request      { return r }
func (o *outcomes) End(_ *http.Request, outcome api.Outcome) { o.all = append(o.all, outcome) }

// A request with an invalid signature is not reported as a change, for which the audit log
// would be synced to disk, and it counts as a failed attempt.
func TestArchive_LimitsRequestsWithoutValidSignature(t *testing.T) {
	t.Parallel()
	const allowed = 3
	path := "/archives/function-11111111-1111-4111-8111-111111111111.zip"
	expired := path + "?X-Jeton-Expires=1&X-Jeton-Signature=00"
	tests := map[string]struct{ method, target string }{
		"PUT without a signature": {http.MethodPut, path},
		"PUT with a wrong one":    {http.MethodPut, expired},
		"GET without a signature": {http.MethodGet, path},
		"GET with a wrong one":    {http.MethodGet, expired},
		"invalid name":            {http.MethodPut, "/archives/x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observed, now := &outcomes{}, time.Now()
			handler := newWorld(t, func(c *api.Config) {
				c.Attempts, c.Now, c.Observer = iam.NewAttempts(allowed), func() time.Time { return now }, observed
			}).Handler()
			for n := range 2 * allowed {
				want := http.StatusForbidden
				if n >= allowed {
					want = http.StatusTooManyRequests
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), test.method, test.target, strings.NewReader("zip")))
				if o := observed.all[n]; w.Code != want || o.Status != want || o.Changes || o.Object != "" {
					t.Errorf("request %d: got %d, outcome %+v, want %d and no change", n, w.Code, o, want)
				}
			}
		})
	}
}
