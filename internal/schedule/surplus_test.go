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

// generous is a broker that gives more messages than it is asked for.
type generous struct {
	surplus             int
	asked, taken, again atomic.Int64
}

func (g *generous) Open(context.Context, functions.Trigger) (schedule.Source, error) { return g, nil }
func (*generous) Forget(context.Context, functions.Trigger) error                    { return nil }
func (*generous) Close()                                                             {}

func (g *generous) Fetch(_ context.Context, most int) ([]schedule.Message, error) {
	g.asked.Add(1)
	all := make([]schedule.Message, most+g.surplus)
	for i := range all {
		all[i] = letter{g}
	}
	return all, nil
}

// letter is one of its messages.
type letter struct{ of *generous }

func (letter) Body() []byte                                 { return []byte("text") }
func (letter) Try() int                                     { return 1 }
func (l letter) Done(context.Context) error                 { l.of.taken.Add(1); return nil }
func (l letter) Again(context.Context, time.Duration) error { l.of.again.Add(1); return nil }
func (letter) Hold() time.Duration                          { return 0 }
func (letter) Extend(context.Context) error                 { return nil }

func TestTriggers_GiveBackWhatABrokerGivesTooMuch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underWay, most atomic.Int64
		source := &generous{surplus: 100}
		triggers := &schedule.Triggers{
			Brokers: source, Grace: time.Second, Log: slog.New(slog.NewTextHandler(&testlog.Buffer{}, nil)),
			Calls: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				defer w.WriteHeader(http.StatusOK)
				now := underWay.Add(1)
				for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
				}
				time.Sleep(time.Second) // Of the bubble: no real time passes.
				underWay.Add(-1)
			}),
		}
		triggers.Start()
		triggers.Apply(store.Change{Object: functions.Function{ID: functionID, DomainName: host}})
		triggers.Apply(store.Change{Object: functions.Trigger{ID: "t", FunctionID: functionID, Status: functions.Ready}})
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if err := triggers.Run(ctx); err != nil {
			t.Error(err)
		}
		// It goes on fetching, for no slot is lost.
		if most.Load() != 10 || source.asked.Load() < 9 || source.taken.Load() < 90 || source.again.Load() != source.asked.Load()*10 {
			t.Errorf("%d calls at once, %d fetches, %d taken, %d given back", most.Load(), source.asked.Load(), source.taken.Load(), source.again.Load())
		}
	})
}
