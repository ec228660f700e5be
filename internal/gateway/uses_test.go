package gateway_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/usage"
)

// used returns the IDs of the used tokens, sorted.
func used(table *gateway.Table) []string {
	var ids []string
	for _, use := range table.Uses() {
		ids = append(ids, use.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestUses_ReturnsAdmittedTokensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, echo)
	w.function(nil)
	w.token("of function", functions.Token{ID: tokenID(1), FunctionID: functionID})
	w.token("of sibling", functions.Token{ID: tokenID(2), FunctionID: siblingID})
	w.token("expired", functions.Token{ID: tokenID(3), FunctionID: functionID, ExpiresAt: start})
	w.token("unused", functions.Token{ID: tokenID(4), FunctionID: functionID})
	for _, text := range []string{"of function", "of sibling", "expired", "unknown", "of function"} {
		w.call("X-Auth-Token", text)
	}
	want := []usage.Use{{ID: tokenID(1), At: start.Truncate(time.Minute)}}
	if got := w.config.Table.Uses(); !slices.Equal(got, want) {
		t.Errorf("got %v, want the admitted token: %v", got, want)
	}
	if got := w.config.Table.Uses(); len(got) != 0 {
		t.Errorf("without further calls: got %v, want none", got)
	}
	w.configure(func(c *gateway.Config) { c.RefuseTokens = true })
	w.call("X-Auth-Token", "of function")
	if got := w.config.Table.Uses(); len(got) != 0 {
		t.Errorf("with RefuseTokens: got %v, want none", got)
	}
}

// A token reuses the slot of a deleted token, but not its last use.
func TestUses_DeletedTokenLeavesNoUse(t *testing.T) {
	t.Parallel()
	const tokens = 10_000
	w := newWorld(t, echo)
	w.function(nil)
	created := make([]functions.Token, tokens)
	for i := range created {
		created[i] = w.token(fmt.Sprint("token ", i), functions.Token{ID: tokenID(i), FunctionID: functionID})
	}
	call := func(i int) { w.call("X-Auth-Token", fmt.Sprint("token ", i)) }
	for _, i := range []int{0, 4095, 4096, tokens - 1} {
		call(i)
	}
	want := []string{tokenID(0), tokenID(4095), tokenID(4096), tokenID(tokens - 1)}
	slices.Sort(want)
	if got := used(w.config.Table); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	call(7)
	w.config.Table.Apply(store.Change{Object: created[7], Deleted: true})
	w.token("successor", functions.Token{ID: tokenID(tokens), FunctionID: functionID})
	if got := used(w.config.Table); len(got) != 0 {
		t.Errorf("after a deletion: got %v, want none", got)
	}
	call(7)
	w.call("X-Auth-Token", "successor")
	if got := used(w.config.Table); !slices.Equal(got, []string{tokenID(tokens)}) {
		t.Errorf("got %v, want the successor only", got)
	}
	// A change of a token keeps its slot.
	call(8)
	w.config.Table.Apply(store.Change{Object: created[8]})
	if got := used(w.config.Table); !slices.Equal(got, []string{tokenID(8)}) {
		t.Errorf("after a change: got %v, want the changed token", got)
	}
}
