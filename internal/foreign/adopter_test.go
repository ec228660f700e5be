package foreign_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// genuine returns the text of an imported token of the function.
func (w *world) genuine(n int, exp int64) string {
	return w.own.sign(header, claims(tokenID(n), "", functionID, exp))
}

func (w *world) wantReason(what, text, want string) {
	w.t.Helper()
	if got := w.call(text); got != want {
		w.t.Errorf("%s: got the reason %q, want %q", what, got, want)
	}
}

func TestAdopt_StoresDigestAndEarlierExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	hour, day := start.Add(time.Hour), start.Add(24*time.Hour)
	for n, test := range []struct {
		name          string
		listed, claim time.Time
		want          time.Time
	}{
		{"no expiry", time.Time{}, time.Time{}, time.Time{}},
		{"the claim is earlier", day, hour, hour},
		{"the list is earlier", hour, day, hour},
		{"only in the list", hour, time.Time{}, hour},
		{"only in the claim", time.Time{}, hour, hour},
	} {
		w.token(n, func(t *functions.Token) { t.ExpiresAt = test.listed })
		exp := int64(0)
		if !test.claim.IsZero() {
			exp = test.claim.Unix()
		}
		text := w.genuine(n, exp)
		w.wantReason(test.name, text, "")
		got := w.stored(n)
		if got.Digest != functions.DigestOf(text) || !got.AdoptedAt.Equal(start) || !got.ExpiresAt.Equal(test.want) {
			t.Errorf("%s: got %+v, want the digest and the expiry %v", test.name, got, test.want)
		}
		w.wantReason(test.name+", again", text, "")
		w.setTime(hour)
		want := ""
		if test.want.Equal(hour) {
			want = "expired token"
		}
		w.wantReason(test.name+", an hour later", text, want)
		w.setTime(start)
	}
}

func TestAdopt_NamespaceTokenIsForAllFunctions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, func(t *functions.Token) { t.FunctionID, t.NamespaceID = "", namespaceID })
	text := w.own.sign(header, claims(tokenID(1), namespaceID, "", 0))
	for _, host := range []string{siblingHost, host} {
		if reason := w.callFrom("192.0.2.1:1", host, text); reason != "" {
			t.Errorf("%s: got the reason %q", host, reason)
		}
	}
}

func TestAdopt_IsRefusedAfterRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	for n, adopted := range []bool{false, true} {
		imported := w.token(n, nil)
		text := w.genuine(n, 0)
		if adopted {
			w.wantReason("before", text, "")
			imported = w.stored(n)
		}
		if err := w.db.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(imported) }); err != nil {
			t.Fatal(err)
		}
		if reason := w.call(text); reason == "" {
			t.Errorf("adopted %t: a revoked token is admitted", adopted)
		}
	}
}

// A token that was adopted, deleted and imported again is adopted again.
func TestAdopt_AcceptsTokenThatIsImportedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{Failures: 1})
	w.token(1, nil)
	text := w.genuine(1, 0)
	w.wantReason("before", text, "")
	revoke := func() {
		t.Helper()
		current := w.stored(1)
		if err := w.db.Update(t.Context(), func(tx store.Tx) error { return tx.Delete(current) }); err != nil {
			t.Fatal(err)
		}
		w.wantReason("revoked", text, "revoked token")
	}
	revoke()
	w.token(1, nil)
	const attacker = "198.51.100.1:1"
	forged := w.two.sign(header, claims(tokenID(1), "", functionID, 0))
	if got := w.callFrom(attacker, host, forged); got != "invalid imported token" {
		t.Errorf("a forged text: got the reason %q", got)
	}
	if got := w.callFrom(attacker, host, text); got != "too many imported tokens are being verified" {
		t.Errorf("the text from the attacker's address: got the reason %q", got)
	}
	w.wantReason("imported again", text, "")
	if got := w.stored(1); got.Digest != functions.DigestOf(text) {
		t.Errorf("got %+v, want the digest", got)
	}
	revoke()
}

// Half of the calls of each token begin before its revocation, and half after the answer.
func TestAdopt_RevocationWinsRace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{Concurrent: 8, TotalConcurrent: 8})
	const tokens = 60
	for n := range tokens {
		imported := w.token(n, nil)
		text := w.genuine(n, 0)
		var racing sync.WaitGroup
		for range 4 {
			racing.Go(func() { w.call(text) })
		}
		racing.Go(func() {
			err := w.db.Update(t.Context(), func(tx store.Tx) error {
				current, err := tx.Token(imported.ID)
				if err != nil {
					return err
				}
				return tx.Delete(current)
			})
			if err != nil {
				t.Error(err)
			}
		})
		racing.Wait()
		for range 3 {
			if reason := w.call(text); reason == "" {
				t.Fatalf("token %d is admitted after its revocation", n)
			}
		}
		err := w.db.View(t.Context(), func(tx store.Tx) error { _, err := tx.Token(imported.ID); return err })
		if !functions.IsNotFound(err) {
			t.Fatalf("token %d: got %v, want no such token: the adoption restored it", n, err)
		}
	}
}

func TestAdopt_NamespaceCanRefuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, nil)
	w.token(2, nil)
	own := w.token(3, func(t *functions.Token) { t.Issuer, t.Digest = "", functions.DigestOf("own") })
	adopted, waiting := w.genuine(1, 0), w.genuine(2, 0)
	w.wantReason("before", adopted, "")
	n := w.namespace(namespaceID, w.own.pem)
	n.Foreign.Refused = true
	w.put(n)
	w.wantReason("adopted token while refused", adopted, "imported tokens are turned off")
	w.wantReason("waiting token while refused", waiting, "imported tokens are turned off")
	w.wantReason("own token "+own.ID, "own", "")
	w.put(w.namespace(namespaceID, w.own.pem))
	w.wantReason("adopted token again", adopted, "")
	w.wantReason("waiting token again", waiting, "")
	w.put(w.namespace(namespaceID)) // The key is removed.
	w.token(4, nil)
	w.wantReason("no key", w.genuine(4, 0), "imported tokens are turned off")
}

func TestAdopt_WaitsUntilTokenIsValid(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, nil)
	w.setTime(start.Add(-time.Hour))
	w.wantReason("before nbf", w.genuine(1, 0), "imported token is not valid yet")
	w.setTime(start.Add(-time.Minute))
	w.wantReason("at nbf", w.genuine(1, 0), "")
}

func TestAdopt_LimitsFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{Failures: 5, TotalFailures: 8})
	for n := range 4 {
		w.token(n, nil)
	}
	w.wantReason("before", w.genuine(0, 0), "")
	forged := w.two.sign(header, claims(tokenID(1), "", functionID, 0))
	const attacker = "198.51.100.1:1"
	const busy = "too many imported tokens are being verified"
	for i := range 8 {
		want := "invalid imported token"
		if i >= 5 {
			want = busy
		}
		if got := w.callFrom(attacker, host, forged); got != want {
			t.Errorf("failure %d: got %q, want %q", i, got, want)
		}
	}
	w.wantReason("an adopted token", w.genuine(0, 0), "")
	w.wantReason("a waiting token from another address", w.genuine(1, 0), "")
	if got := w.callFrom(attacker, host, w.genuine(0, 0)); got != "" {
		t.Errorf("an adopted token from the attacker's address: got %q", got)
	}
	forged = w.two.sign(header, claims(tokenID(2), "", functionID, 0))
	for i := range 3 {
		if got := w.callFrom(fmt.Sprintf("203.0.113.%d:1", i), host, forged); got != "invalid imported token" {
			t.Errorf("failure of network %d: got %q", i, got)
		}
	}
	w.wantReason("all networks together", w.genuine(2, 0), busy)
	w.setTime(start.Add(time.Minute))
	w.wantReason("a minute later", w.genuine(2, 0), "")
}

// The calls that wait for a slot count, too.
func TestAdopt_LimitsConcurrentFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{Concurrent: 1, Wait: time.Minute})
	w.token(1, nil)
	genuine := w.genuine(1, 0)
	// The texts differ in the signature. All claims are those of the imported token.
	signed := genuine[:strings.LastIndexByte(genuine, '.')+1]
	const calls, limit = 500, 60
	results := make(chan error, calls)
	var racing sync.WaitGroup
	for n := range calls {
		racing.Go(func() { results <- w.present(signed + encode(fmt.Sprintf("%0512d", n))) })
	}
	racing.Wait()
	close(results)
	verified := 0
	for err := range results {
		switch {
		case errors.Is(err, foreign.ErrInvalid):
			verified++
		case !errors.Is(err, foreign.ErrBusy):
			t.Errorf("got %v, want it to be invalid or busy", err)
		}
	}
	if verified != limit {
		t.Errorf("%d forged texts were verified, want %d", verified, limit)
	}
}

// A call with an earlier time does not restore the limit.
func TestAdopt_LimitsFailuresWithEarlierTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{Failures: 2})
	w.token(1, nil)
	forged := w.two.sign(header, claims(tokenID(1), "", functionID, 0))
	const invalid, busy = "invalid imported token", "too many imported tokens are being verified"
	for n, step := range []struct {
		at   time.Duration
		want string
	}{{0, invalid}, {-50 * time.Second, invalid}, {0, busy}, {30 * time.Second, invalid}, {0, busy}, {30 * time.Second, busy}} {
		w.setTime(start.Add(step.at))
		if got := w.call(forged); got != step.want {
			t.Errorf("call %d at %v: got %q, want %q", n, step.at, got, step.want)
		}
	}
}

// Concurrent first calls of a token share one verification and one change.
func TestAdopt_VerifiesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, nil)
	before := w.db.Newest()
	text := w.genuine(1, 0)
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() { w.callFrom("192.0.2.1:1", host, text) })
	}
	calls.Wait()
	w.wantReason("afterwards", text, "")
	if changes := w.db.Newest() - before; changes != 1 {
		t.Errorf("got %d changes for the adoption, want 1", changes)
	}
}

// The home of a function may receive a call before the change that has adopted its token.
func TestAdopt_FollowsAnotherNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	imported := w.token(1, nil)
	text := w.genuine(1, 0)
	adopted := imported
	adopted.Digest, adopted.AdoptedAt = functions.DigestOf(text), start
	w.put(adopted)
	w.adopter.Apply(store.Change{Object: imported}) // The view is as before the adoption.
	before := w.db.Newest()
	if err := w.present(text); err != nil {
		t.Errorf("got %v, want the adoption", err)
	}
	// Only a commit with changes waits until this node has applied those before it.
	if changes := w.db.Newest() - before; changes != 1 || w.stored(1).Digest != adopted.Digest {
		t.Errorf("got %d changes and %+v, want one that changes nothing", changes, w.stored(1))
	}
	w.wantReason("again", text, "")
}

// Two texts have the same claims and valid signatures only if the issuer signed twice.
func TestAdopt_SecondTextIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, nil)
	w.wantReason("first", w.genuine(1, 0), "")
	if reason := w.call(w.genuine(1, start.Unix()+60)); reason != "unknown token" {
		t.Errorf("second text: got %q, want it to be unknown", reason)
	}
}

func TestAdopt_ReloadKeepsWaitingTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, foreign.Limits{})
	w.token(1, nil)
	w.token(2, nil)
	w.wantReason("adopted before", w.genuine(1, 0), "")
	for _, follower := range []store.Follower{w.table, w.adopter} {
		loader := follower.Reload(store.Position{})
		err := w.db.View(t.Context(), func(tx store.Tx) error {
			for _, id := range []string{namespaceID, otherNSID} {
				n, err := tx.Namespace(id)
				if err != nil {
					return err
				}
				loader.Add(n)
			}
			f, err := tx.Function(functionID)
			if err != nil {
				return err
			}
			loader.Add(f)
			tokens, _, err := tx.Tokens(functions.Filter{}, functions.Page{})
			for _, token := range tokens {
				loader.Add(token)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		loader.Swap()
	}
	for n := 1; n <= 2; n++ {
		w.wantReason("after the reload", w.genuine(n, 0), "")
	}
}

func TestNew_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	if a, err := foreign.New(foreign.Config{}); a != nil || err == nil || !strings.Contains(err.Error(), "Store and Log are required") {
		t.Errorf("got %v, %v", a, err)
	}
}
