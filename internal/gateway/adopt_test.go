package gateway_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// A token without a digest is in no table: neither an empty token nor one whose digest is
// empty finds it.
func TestTable_HasNoTokensWithoutDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	waiting := functions.Token{ID: tokenID(1), FunctionID: functionID, Issuer: "api.scaleway.com"}
	for _, change := range []store.Change{{Object: waiting}, {Object: waiting, Deleted: true}} {
		w.config.Table.Apply(change)
		for _, text := range []string{"", "\x00", "0000000000000000000000000000000000000000000000000000000000000000"} {
			if got := w.call("X-Auth-Token", text).Code; got != 403 {
				t.Errorf("deleted %t: text %q: got status %d, want 403", change.Deleted, text, got)
			}
		}
	}
	if got := w.config.Table.Uses(); len(got) != 0 {
		t.Errorf("got uses %v, want none", got)
	}
}
