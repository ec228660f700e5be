package schedule

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// TriggersConfig has the dependencies of Triggers. All fields but Grace and Observer
// are required.
type TriggersConfig struct {
	// Owns reports whether this node has its lease and consumes the messages of the
	// triggers of a function.
	Owns    func(functionID string) bool
	Brokers Brokers
	// Calls handles the calls to functions, by host, without authorization.
	Calls http.Handler
	// Grace is the time that calls in progress get when Run ends.
	Grace    time.Duration
	Log      *slog.Logger
	Observer Observer
}

// Triggers calls functions with the messages of their triggers, if this node owns the
// function. It implements store.Follower: a trigger fetches no message after its deletion
// was applied.
type Triggers struct {
	config TriggersConfig
	hosts  hosts
	mu     sync.Mutex
	// ready has the triggers that should consume, and stop cancels those that do.
	ready map[string]functions.Trigger
	stop  map[string]context.CancelFunc
	// deleted are triggers that the brokers must forget, if this node owns the function.
	deleted []deletion
	// changed wakes Run when one of these fields has changed.
	changed chan struct{}
}

// A deletion is a trigger that was deleted, and when this was applied.
type deletion struct {
	trigger functions.Trigger
	at      time.Time
}

// NewTriggers returns Triggers without any trigger. Returns an error if a required
// field is missing.
func NewTriggers(c TriggersConfig) (*Triggers, error) {
	if c.Owns == nil || c.Brokers == nil || c.Calls == nil || c.Log == nil {
		return nil, errors.New("configure triggers: Owns, Brokers, Calls and Log are required")
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	return &Triggers{
		config: c, ready: map[string]functions.Trigger{}, stop: map[string]context.CancelFunc{}, changed: make(chan struct{}, 1),
	}, nil
}

// OwnersChanged makes Run consume what this node owns now, and nothing else. It returns at
// once.
func (t *Triggers) OwnersChanged() { wake(t.changed) }

// Apply implements store.Follower.
func (t *Triggers) Apply(change store.Change) {
	switch o := change.Object.(type) {
	case functions.Function:
		t.hosts.apply(o, change.Deleted)
	case functions.Trigger:
		t.mu.Lock()
		defer t.mu.Unlock()
		t.apply(o, change.Deleted)
	}
}

// Reload implements store.Follower. A trigger that is missing in the snapshot is
// treated as deleted.
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

// replace applies all triggers, and the deletion of those that are not among them.
func (t *Triggers) replace(all map[string]functions.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, before := range t.ready {
		if _, exists := all[id]; !exists {
			t.apply(before, true)
		}
	}
	for _, trigger := range all {
		t.apply(trigger, false)
	}
}

// apply applies the state of a trigger. The caller holds mu.
func (t *Triggers) apply(trigger functions.Trigger, deleted bool) {
	before, consuming := t.ready[trigger.ID]
	ready := !deleted && trigger.Status == functions.Ready
	if ready && consuming && sameSource(before, trigger) {
		return
	}
	if stop := t.stop[trigger.ID]; stop != nil {
		stop()
		delete(t.stop, trigger.ID)
	}
	delete(t.ready, trigger.ID)
	if ready {
		t.ready[trigger.ID] = trigger
	}
	if deleted {
		t.deleted = append(t.deleted, deletion{trigger, time.Now()})
	}
	wake(t.changed)
}

// sameSource reports whether two states of a trigger differ in their descriptions
// only, so that its consumer can continue.
func sameSource(a, b functions.Trigger) bool {
	a.Name, a.Description = b.Name, b.Description
	return reflect.DeepEqual(a, b)
}

// Run consumes messages until ctx ends, and then waits for the calls in progress, at
// most for the grace period.
func (t *Triggers) Run(ctx context.Context) error {
	calling, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var consumers sync.WaitGroup
	for ctx.Err() == nil {
		started, deleted := t.next(ctx)
		for _, s := range started {
			consumers.Go(func() { t.consume(s.ctx, calling, s.trigger) })
		}
		for _, trigger := range deleted {
			consumers.Go(func() { t.forget(calling, trigger) })
		}
		wait(ctx, ownersWait, t.changed)
	}
	timer := time.AfterFunc(t.config.Grace, stop)
	defer timer.Stop()
	consumers.Wait()
	return nil
}

// A started trigger consumes until its context ends.
type started struct {
	ctx     context.Context
	trigger functions.Trigger
}

// forgetFor is how long a deleted trigger is remembered: another node becomes the owner
// within this time if the owner failed before the broker has forgotten the trigger.
const forgetFor = time.Minute

// next returns the triggers whose consumers must be started, and those that the broker
// must forget. It stops the consumers of functions that this node does not own.
func (t *Triggers) next(ctx context.Context) (all []started, deleted []functions.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, trigger := range t.ready {
		owned, stop := t.config.Owns(trigger.FunctionID), t.stop[id]
		if stop != nil && !owned {
			stop()
			delete(t.stop, id)
		}
		if stop != nil || !owned {
			continue
		}
		consuming, cancel := context.WithCancel(ctx)
		t.stop[id] = cancel
		all = append(all, started{consuming, trigger})
	}
	t.deleted = slices.DeleteFunc(t.deleted, func(d deletion) bool {
		owned := t.config.Owns(d.trigger.FunctionID)
		if owned {
			deleted = append(deleted, d.trigger)
		}
		return owned || time.Since(d.at) > forgetFor
	})
	return all, deleted
}

// forgetTimeout is the time in which a broker must forget a trigger.
const forgetTimeout = 10 * time.Second

// forget makes the broker delete what it stores for a deleted trigger.
func (t *Triggers) forget(ctx context.Context, trigger functions.Trigger) {
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	if err := t.config.Brokers.Forget(ctx, trigger); err != nil {
		t.config.Log.Warn("the broker may still store messages for a deleted trigger", "trigger_id", trigger.ID, "error", err)
	}
}

// The first and the longest pause before the next attempt to connect to a broker.
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// consume connects to the broker and consumes its messages, and connects again after
// an error, until ctx ends.
func (t *Triggers) consume(ctx, calling context.Context, trigger functions.Trigger) {
	log := t.config.Log.With("trigger_id", trigger.ID, "function_id", trigger.FunctionID)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		source, err := t.config.Brokers.Open(ctx, trigger)
		if errors.Is(err, ErrNoBroker) {
			// The configuration of brokers changes with a restart only.
			log.Warn("a trigger has no broker and consumes no messages", "error", err)
			return
		}
		if err == nil {
			log.Info("a trigger consumes messages")
			pause = firstPause
			c := consumer{triggers: t, source: source, trigger: trigger, log: log}
			state := connection{observer: t.config.Observer, trigger: trigger, log: log}
			state.set(true)
			if watched, ok := source.(Watched); ok {
				watched.Watch(state.set)
			}
			err = c.run(ctx, calling)
			state.end()
			source.Close()
		}
		if err != nil && ctx.Err() == nil {
			log.Error("a trigger cannot consume messages", "error", err, "retry_in", pause)
		}
		// Without an error, this node does not own the function any more.
		wait(ctx, pause, nil)
	}
}
