package schedule_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/test/testlog"
)

func newTriggers(t *testing.T, brokers schedule.Brokers, calls http.Handler) *schedule.Triggers {
	t.Helper()
	triggers, err := schedule.NewTriggers(schedule.TriggersConfig{
		Owns: func(string) bool { return true }, Brokers: brokers, Calls: calls, Grace: time.Second, Log: slog.New(slog.NewTextHandler(&testlog.Buffer{}, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return triggers
}

// surplusBroker is a broker and its source. It returns more messages than requested.
type surplusBroker struct {
	surplus             int
	asked, taken, again atomic.Int64
}

func (g *surplusBroker) Open(context.Context, functions.Trigger) (schedule.Source, error) {
	return g, nil
}
func (*surplusBroker) Forget(context.Context, functions.Trigger) error { return nil }
func (*surplusBroker) Close()                                          {}

func (g *surplusBroker) Fetch(_ context.Context, limit int) ([]schedule.Message, error) {
	g.asked.Add(1)
	all := make([]schedule.Message, limit+g.surplus)
	for i := range all {
		all[i] = surplusMessage{g}
	}
	return all, nil
}

// surplusMessage is a message of a surplusBroker.
type surplusMessage struct{ of *surplusBroker }

func (surplusMessage) Body() []byte                 { return []byte("text") }
func (surplusMessage) Try() int                     { return 1 }
func (l surplusMessage) Done(context.Context) error { l.of.taken.Add(1); return nil }

func (l surplusMessage) Again(context.Context, time.Duration) error { l.of.again.Add(1); return nil }
func (surplusMessage) Hold() time.Duration                          { return 0 }
func (surplusMessage) Extend(context.Context) error                 { return nil }

func TestTriggers_GiveBackSurplusMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var inProgress, most atomic.Int64
		source := &surplusBroker{surplus: 100}
		triggers := newTriggers(t, source, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			defer w.WriteHeader(http.StatusOK)
			now := inProgress.Add(1)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			time.Sleep(time.Second) // In the bubble no real time passes.
			inProgress.Add(-1)
		}))
		triggers.Apply(store.Change{Object: functions.Function{ID: functionID, DomainName: host}})
		triggers.Apply(store.Change{Object: functions.Trigger{ID: "t", FunctionID: functionID, Status: functions.Ready}})
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if err := triggers.Run(ctx); err != nil {
			t.Error(err)
		}
		// No slot is lost, so the consumer continues to fetch.
		if most.Load() != 10 || source.asked.Load() < 9 || source.taken.Load() < 90 || source.again.Load() != source.asked.Load()*10 {
			t.Errorf("got %d concurrent calls, %d fetches, %d taken, %d given back", most.Load(), source.asked.Load(), source.taken.Load(), source.again.Load())
		}
	})
}
