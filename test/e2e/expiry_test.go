package e2e_test

import (
	"testing"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
)

// A function that was not deployed answers 503 to admitted calls.
const (
	admitted = 503
	refused  = 403
)

// The clock of a node is an hour behind or ahead of that of the database. A token is
// refused as soon as one of the two clocks has reached its expiry.
func TestExpiry_LaterClockOfNodeAndDatabaseDecides(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"a node that is behind": -time.Hour, "a node that is ahead": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, onPostgreSQL(pgtest.Database(t)), func(c *server.Config) {
				c.Now = func() time.Time { return time.Now().Add(skew) }
			})
			request := python(w.namespace("expiry").ID, "f")
			request.Privacy = function.FunctionPrivacyPrivate
			f := must[*function.Function](t)(w.CreateFunction(request))
			token := func(expires time.Time) string {
				t.Helper()
				return must[*function.Token](t)(w.CreateToken(&function.CreateTokenRequest{FunctionID: &f.ID, ExpiresAt: &expires})).Token
			}
			later := time.Now().Add(max(skew, 0))
			lasting, soon := token(later.Add(time.Hour)), later.Add(3*time.Second).Truncate(time.Second)
			ending := token(soon)
			if skew < 0 {
				expired := token(time.Now().Add(-30 * time.Minute))
				status, _ := w.call(f, "/", expired)
				wantStatus(t, "a token that expired by the clock of the database", status, refused)
			}
			expiry := soon.Add(-max(skew, 0))
			calls := map[int]int{}
			// The estimate of the database's clock is off by the time of a renewal at most.
			const tolerance = 250 * time.Millisecond
			for time.Now().Before(expiry.Add(time.Second)) {
				before := time.Now()
				status, _ := w.call(f, "/", ending)
				calls[status]++
				switch {
				case before.After(expiry.Add(tolerance)) && status != refused:
					t.Fatalf("%v after the expiry: got status %d", before.Sub(expiry), status)
				case time.Now().Before(expiry.Add(-tolerance)) && status != admitted:
					t.Fatalf("%v before the expiry: got status %d", expiry.Sub(before), status)
				}
			}
			if calls[admitted] == 0 || calls[refused] == 0 {
				t.Errorf("got %v, want admitted and refused calls", calls)
			}
			status, _ := w.call(f, "/", lasting)
			wantStatus(t, "a token that has not expired", status, admitted)
		})
	}
}
