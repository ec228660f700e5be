package schedule

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// Triggers calls functions with the messages of their triggers' sources. It
// follows the changes: a trigger that is deleted fetches no more from then on.
// All fields but Observer must be set.
type Triggers struct {
	Brokers Brokers
	// Calls takes the calls to functions, by host, and admits all of them.
	Calls http.Handler
	// Grace is how long calls may go on when Run is told to end.
	Grace    time.Duration
	Log      *slog.Logger
	Observer Observer

	hosts hosts
	mu    sync.Mutex
	// wanted are the triggers that are to consume, and stop what ends those
	// that do.
	wanted  map[string]functions.Trigger
	stop    map[string]context.CancelFunc
	deleted []functions.Trigger
	changed chan struct{}
}

// Start makes t ready to follow changes.
func (t *Triggers) Start() {
	t.wanted, t.stop = map[string]functions.Trigger{}, map[string]context.CancelFunc{}
	t.changed = make(chan struct{}, 1)
}

// Apply notes a change.
func (t *Triggers) Apply(change store.Change) {
	switch o := change.Object.(type) {
	case functions.Function:
		t.hosts.apply(o, change.Deleted)
	case functions.Trigger:
		t.applyTrigger(o, change.Deleted)
	}
}

// Reload implements store.Follower. A trigger that is missing from the snapshot
// ends as one that was deleted.
func (t *Triggers) Reload(store.Position) store.Loader {
	var fresh hosts
	found := map[string]functions.Trigger{}
	return store.Loader{
		Add: func(o store.Object) {
			switch o := o.(type) {
			case functions.Function:
				fresh.apply(o, false)
			case functions.Trigger:
				found[o.ID] = o
			}
		},
		Swap: func() {
			t.hosts.replace(fresh.byID)
			t.replace(found)
		},
	}
}

// replace ends the triggers that are not among all, and applies all of them.
func (t *Triggers) replace(all map[string]functions.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, before := range t.wanted {
		if _, exists := all[id]; !exists {
			t.apply(before, true)
		}
	}
	for _, trigger := range all {
		t.apply(trigger, false)
	}
}

func (t *Triggers) applyTrigger(trigger functions.Trigger, deleted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apply(trigger, deleted)
}

// apply notes the state of a trigger. The caller holds mu.
func (t *Triggers) apply(trigger functions.Trigger, deleted bool) {
	before, consuming := t.wanted[trigger.ID]
	ready := !deleted && trigger.Status == functions.Ready
	if ready && consuming && sameSource(before, trigger) {
		return
	}
	if end := t.stop[trigger.ID]; end != nil {
		end()
		delete(t.stop, trigger.ID)
	}
	delete(t.wanted, trigger.ID)
	if ready {
		t.wanted[trigger.ID] = trigger
	}
	if deleted {
		t.deleted = append(t.deleted, trigger)
	}
	wake(t.changed)
}

// sameSource tells whether two states of a trigger consume the same in the same
// way.
func sameSource(a, b functions.Trigger) bool {
	a.Name, a.Description = b.Name, b.Description
	return reflect.DeepEqual(a, b)
}

// Run consumes until ctx ends, and then waits for the calls that are under way.
func (t *Triggers) Run(ctx context.Context) error {
	calling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var consumers sync.WaitGroup
	for ctx.Err() == nil {
		begun, gone := t.next(ctx)
		for _, b := range begun {
			consumers.Go(func() { t.consume(b.ctx, calling, b.trigger) })
		}
		for _, trigger := range gone {
			consumers.Go(func() { t.forget(calling, trigger) })
		}
		rest(ctx, longestWait, t.changed)
	}
	timer := time.AfterFunc(t.Grace, stop)
	defer timer.Stop()
	consumers.Wait()
	return nil
}

// begun is a trigger that is to be consumed until its context ends.
type begun struct {
	ctx     context.Context
	trigger functions.Trigger
}

// next returns the triggers that nobody consumes yet, and those that were
// deleted.
func (t *Triggers) next(ctx context.Context) (all []begun, gone []functions.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, trigger := range t.wanted {
		if t.stop[id] != nil {
			continue
		}
		consuming, stop := context.WithCancel(ctx)
		t.stop[id] = stop
		all = append(all, begun{consuming, trigger})
	}
	gone, t.deleted = t.deleted, nil
	return all, gone
}

const forgetTimeout = 10 * time.Second

func (t *Triggers) forget(ctx context.Context, trigger functions.Trigger) {
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	if err := t.Brokers.Forget(ctx, trigger); err != nil {
		t.Log.Warn("the broker of a deleted trigger may still keep messages for it", "trigger_id", trigger.ID, "error", err)
	}
}

// The pauses between attempts to reach a broker.
const (
	firstPause = time.Second
	longPause  = time.Minute
)

// consume reaches the broker again and again until ctx ends.
func (t *Triggers) consume(ctx, calling context.Context, trigger functions.Trigger) {
	log := t.Log.With("trigger_id", trigger.ID, "function_id", trigger.FunctionID)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longPause) {
		source, err := t.Brokers.Open(ctx, trigger)
		if errors.Is(err, ErrNoBroker) {
			// There is none before the server starts again.
			log.Warn("a trigger consumes nothing", "error", err)
			return
		}
		if err == nil {
			log.Info("a trigger consumes")
			pause = firstPause
			c := consumer{triggers: t, source: source, trigger: trigger, log: log}
			t.consuming(trigger, true)
			err = c.run(ctx, calling)
			t.consuming(trigger, false)
			source.Close()
		}
		if err != nil && ctx.Err() == nil {
			log.Error("a trigger cannot consume", "error", err, "again", pause)
			rest(ctx, pause, nil)
		}
	}
}
