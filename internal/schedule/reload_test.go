package schedule_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
)

// load makes a follower load a snapshot.
func load(f store.Follower, objects ...store.Object) {
	loader := f.Reload(store.Position{})
	for _, o := range objects {
		loader.Add(o)
	}
	loader.Swap()
}

func TestCrons_ReloadDropsCronsDeletedBetweenSnapshots(t *testing.T) {
	inWorld(t, func(w *world) {
		f := functions.Function{ID: functionID, DomainName: host}
		kept, deleted := newCron("* * * * *", `{"kept":1}`), newCron("* * * * *", `{"deleted":1}`)
		deleted.ID = "c0000000-0000-4000-8000-000000000002"
		w.put(kept, deleted)
		c := w.crons()
		load(c, f, kept, deleted)
		load(c, f, kept)
		ctx, stop := context.WithTimeout(w.t.Context(), 90*time.Second)
		defer stop()
		if err := c.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if calls := w.calls(); len(calls) != 1 || !slices.Contains(calls, `01T00:01:00 POST `+host+` {"kept":1}`) {
			t.Errorf("got calls %q, want one of the cron that was kept", calls)
		}
	})
}

// recordingBroker records the triggers that it opens and forgets. Its sources have no
// messages.
type recordingBroker struct{ opened, forgotten chan string }

func (o recordingBroker) Open(_ context.Context, t functions.Trigger) (schedule.Source, error) {
	o.opened <- t.ID
	return empty{}, nil
}

func (o recordingBroker) Forget(_ context.Context, t functions.Trigger) error {
	o.forgotten <- t.ID
	return nil
}

type empty struct{}

func (empty) Close() {}
func (empty) Fetch(ctx context.Context, _ int) ([]schedule.Message, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTriggers_ReloadEndsTriggersDeletedBetweenSnapshots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broker := recordingBroker{make(chan string, 10), make(chan string, 10)}
		triggers := newTriggers(t, broker, http.NotFoundHandler())
		f := functions.Function{ID: functionID, DomainName: host}
		kept := functions.Trigger{ID: "kept", FunctionID: functionID, Status: functions.Ready}
		deleted := functions.Trigger{ID: "deleted", FunctionID: functionID, Status: functions.Ready}
		load(triggers, f, kept, deleted)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- triggers.Run(ctx) }()
		synctest.Wait()
		load(triggers, f, kept)
		synctest.Wait()
		if len(broker.opened) != 2 || len(broker.forgotten) != 1 {
			t.Fatalf("got %d sources opened and %d forgotten, want 2 and 1", len(broker.opened), len(broker.forgotten))
		}
		if id := <-broker.forgotten; id != deleted.ID {
			t.Errorf("got %s forgotten, want the deleted trigger", id)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
