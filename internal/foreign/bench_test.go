package foreign_test

import (
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// present calls Adopt as the gateway does.
func (w *world) present(text string) error {
	_, err := w.adopter.Adopt(w.t.Context(), foreign.Call{
		Text: text, Digest: functions.DigestOf(text), Function: uuid.MustParse(functionID), Namespace: uuid.MustParse(namespaceID),
		From: netip.MustParseAddr("192.0.2.1"), Now: start,
	})
	return err
}

var unlimited = foreign.Limits{Failures: 1 << 30, TotalFailures: 1 << 30}

// BenchmarkFirstUse measures the adoption of a token with a key of 4096 bits, including the
// commit.
func BenchmarkFirstUse(b *testing.B) {
	w := newWorld(b, unlimited)
	texts := make([]string, 200)
	var tokens []functions.Token
	for n := range texts {
		texts[n] = w.genuine(n, 0)
		tokens = append(tokens, w.token(n, nil))
	}
	n := 0
	for b.Loop() {
		if n == len(texts) {
			b.StopTimer()
			// The tokens are imported again, without their digests.
			if err := w.db.Update(b.Context(), func(tx store.Tx) error {
				for _, t := range tokens {
					if err := tx.Put(t); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			n = 0
			b.StartTimer()
		}
		if err := w.present(texts[n]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// BenchmarkForged measures what a forged token costs before it is denied.
func BenchmarkForged(b *testing.B) {
	for name, test := range map[string]struct {
		text   func(*world) string
		limits foreign.Limits
		want   error
	}{
		"unknown ID":       {func(w *world) string { return w.two.sign(header, claims(tokenID(9), "", functionID, 0)) }, unlimited, foreign.ErrUnknown},
		"known ID":         {func(w *world) string { return w.two.sign(header, claims(tokenID(1), "", functionID, 0)) }, unlimited, foreign.ErrInvalid},
		"another function": {func(w *world) string { return w.two.sign(header, claims(tokenID(2), "", siblingID, 0)) }, unlimited, foreign.ErrScope},
		"no token":         {func(*world) string { return "x" }, unlimited, foreign.ErrUnknown},
		"limit exceeded": {func(w *world) string {
			text := w.two.sign(header, claims(tokenID(1), "", functionID, 0))
			_ = w.present(text)
			return text
		}, foreign.Limits{Failures: 1}, foreign.ErrBusy},
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, test.limits)
			w.token(1, nil)
			w.token(2, func(t *functions.Token) { t.FunctionID = siblingID })
			text := test.text(w)
			for b.Loop() {
				if err := w.present(text); err != test.want { //nolint:errorlint // Adopt returns the value itself.
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAdmitted measures a whole call that is admitted, without an instance.
func BenchmarkAdmitted(b *testing.B) {
	for _, kind := range []string{"imported", "own"} {
		b.Run(kind, func(b *testing.B) {
			w := newWorld(b, unlimited)
			text := w.genuine(1, 0)
			w.token(1, func(t *functions.Token) {
				if kind == "own" {
					t.Issuer, t.Digest = "", functions.DigestOf(text)
				}
			})
			if reason := w.call(text); reason != "" {
				b.Fatal(reason)
			}
			for b.Loop() {
				w.call(text)
			}
		})
	}
}
