package usage_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/usage"
)

func TestStamp_ReturnsMinuteOfLastUse(t *testing.T) {
	t.Parallel()
	var stamp usage.Stamp
	if at, used := stamp.Take(); used {
		t.Errorf("a new Stamp has a use at %v", at)
	}
	minute := time.Date(2026, 7, 3, 13, 5, 0, 0, time.UTC)
	for _, at := range []time.Time{minute.Add(-time.Second), minute, minute.Add(59 * time.Second)} {
		stamp.Note(at)
	}
	if at, used := stamp.Take(); !used || !at.Equal(minute) {
		t.Errorf("got %v, %t, want %v", at, used, minute)
	}
	if at, used := stamp.Take(); used {
		t.Errorf("after Take it has a use at %v", at)
	}
	stamp.Note(time.Unix(0, 0))
	if _, used := stamp.Take(); !used {
		t.Error("a use in the first minute of 1970 is lost")
	}
}

func TestRecorder_StoresUsesEachMinuteAndAtItsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		objects, err := sqlite.Open(t.Context(), filepath.Join(dir, "jeton.db"), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer objects.Close()
		key, secretKey := iam.NewAPIKey(iam.Project{ID: "p"}, time.Now(), iam.FullAccess)
		err = objects.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.Put(iam.Project{ID: "p"}); err != nil {
				return err
			}
			return tx.Put(key)
		})
		if err != nil {
			t.Fatal(err)
		}
		directory := iam.NewDirectory()
		directory.Apply(key, false)
		use := func() time.Time {
			if _, err := directory.Authenticate(secretKey.Reveal(), time.Now()); err != nil {
				t.Fatal(err)
			}
			return time.Now().UTC().Truncate(time.Minute)
		}
		want := func(what string, at ...time.Time) {
			t.Helper()
			uses := map[string]time.Time{}
			for _, at := range at {
				uses[key.AccessKey] = at
			}
			got, err := objects.LastUses(t.Context(), usage.APIKeys, []string{key.AccessKey, "SCWNOBODY"})
			if err != nil || !reflect.DeepEqual(got, uses) {
				t.Errorf("%s: %v, %v, want %v", what, got, err, uses)
			}
		}
		recorder, err := usage.NewRecorder(usage.RecorderConfig{
			Sources: map[usage.Kind]usage.Source{usage.APIKeys: directory.Uses}, Store: objects, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		defer end()
		ended := make(chan error)
		go func() { ended <- recorder.Run(ctx) }()
		first := use()
		synctest.Wait()
		want("before the first minute")
		<-time.After(time.Minute)
		synctest.Wait()
		want("after a minute", first)
		second := use()
		want("used again", first)
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		want("at the end", second)
	})
}

func TestNewRecorder_RefusesMissingDependency(t *testing.T) {
	t.Parallel()
	log, sources := slog.New(slog.DiscardHandler), map[usage.Kind]usage.Source{usage.Tokens: func() []usage.Use { return nil }}
	for name, config := range map[string]usage.RecorderConfig{
		"Sources": {Store: noStore{}, Log: log},
		"Store":   {Sources: sources, Log: log},
		"Log":     {Sources: sources, Store: noStore{}},
	} {
		if r, err := usage.NewRecorder(config); r != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: got %v, %v, want an error that names it", name, r, err)
		}
	}
}

// noStore stores nothing.
type noStore struct{}

func (noStore) NoteUses(context.Context, usage.Kind, []usage.Use) error { return nil }
