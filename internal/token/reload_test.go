package token_test

import (
	"testing"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

func TestReload_DropsKeysOfNamespacesDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	pair, err := keyPair()
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewKeySet()
	for _, test := range []struct {
		objects []store.Object
		keys    int
	}{
		{[]store.Object{functions.Namespace{ID: "1", PublicKey: pair.Public}}, 1},
		{nil, 0},
	} {
		loader := set.Reload(store.Position{})
		for _, o := range test.objects {
			loader.Add(o)
		}
		loader.Swap()
		if got := len(keysOf(t, string(set.Document()))); got != test.keys {
			t.Errorf("%d keys are published after a snapshot of %d namespaces", got, len(test.objects))
		}
	}
}
