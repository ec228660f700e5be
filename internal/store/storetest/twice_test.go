package storetest_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/store/storetest"
)

func TestTwice_RunsEachTransactionTwiceAndCommitsOnce(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jeton.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var numbers []int64
	if err := db.Follow(t.Context(), store.Position{}, store.Hook{OnChange: func(c store.Change) { numbers = append(numbers, c.Number) }}); err != nil {
		t.Fatal(err)
	}
	s := storetest.Twice(db)
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		err  error
		run  func(func(store.Tx) error) error
		want int
	}{
		"update":         {nil, func(f func(store.Tx) error) error { return s.Update(t.Context(), f) }, 1},
		"failing update": {broken, func(f func(store.Tx) error) error { return s.Update(t.Context(), f) }, 0},
	} {
		runs, before := 0, len(numbers)
		err := test.run(func(tx store.Tx) error {
			runs++
			return errors.Join(tx.Put(iam.Project{ID: "p"}), test.err)
		})
		if !errors.Is(err, test.err) || runs != 2 || len(numbers)-before != test.want {
			t.Errorf("%s: got %v after %d runs and %d changes, want %v, 2 and %d", name, err, runs, len(numbers)-before, test.err, test.want)
		}
	}
	runs := 0
	if err := s.View(t.Context(), func(store.Tx) error { runs++; return broken }); !errors.Is(err, broken) || runs != 2 {
		t.Errorf("view: got %v after %d runs, want the error after 2", err, runs)
	}
	if numbers[0] != 1 || db.Newest() != 1 {
		t.Errorf("the changes are numbered %v, want 1", numbers)
	}
}
