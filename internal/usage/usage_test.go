package usage_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"reflect"
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
		recorder := &usage.Recorder{
			Sources: map[usage.Kind]usage.Source{usage.APIKeys: directory.Uses}, Store: objects, Log: slog.New(slog.DiscardHandler),
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
