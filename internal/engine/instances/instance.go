package instances

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"syscall"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/engine"
)

// Stopped is what Config.Run returns for an instance that was stopped before it ran.
const Stopped = "it was stopped"

// An Instance is one instance from its request to its end, without what its engine adds.
type Instance struct {
	// ID is unique among all instances of the engine.
	ID     string
	source engine.Revision
	core   *core
	// starting ends when the instance is stopped.
	starting  context.Context
	stopStart context.CancelFunc
	// terminated and killed are closed to stop the instance.
	terminated, killed      chan struct{}
	terminateOnce, killOnce sync.Once
	// ended is closed after the event Gone.
	ended chan struct{}

	// The mutex of the set guards the following fields.
	stopping, ready, leaving bool
	address                  engine.Address
}

func newInstance(c *core, id string, source engine.Revision) *Instance {
	in := &Instance{
		ID: id, source: source, core: c,
		terminated: make(chan struct{}), killed: make(chan struct{}), ended: make(chan struct{}),
	}
	in.starting, in.stopStart = context.WithCancel(context.Background())
	return in
}

func (in *Instance) base() *Instance { return in }

// Terminated is closed when the instance has to end its calls and then end.
func (in *Instance) Terminated() <-chan struct{} { return in.terminated }

// Killed is closed when the instance has to end at once.
func (in *Instance) Killed() <-chan struct{} { return in.killed }

// Ended is closed after the event Gone.
func (in *Instance) Ended() <-chan struct{} { return in.ended }

// Starting returns a context that ends when the instance is stopped, in whichever way.
func (in *Instance) Starting() context.Context { return in.starting }

// BecomeReady reports that the instance serves at an address.
func (in *Instance) BecomeReady(address engine.Address) {
	in.core.mu.Lock()
	defer in.core.mu.Unlock()
	in.ready, in.address = true, address
	in.core.feed.emit(in.event(engine.Ready))
}

// Leave reports that what runs the instance ends it soon. It must be ready.
func (in *Instance) Leave() {
	in.core.mu.Lock()
	defer in.core.mu.Unlock()
	in.leaving = true
	in.core.feed.emit(in.event(engine.Leaving))
}

// Ready reports whether BecomeReady was called.
func (in *Instance) Ready() bool {
	in.core.mu.Lock()
	defer in.core.mu.Unlock()
	return in.ready
}

// Output returns the function that reports the lines of a stream.
func (in *Instance) Output(stream string) func(text string) {
	logger := in.core.log.With("function_id", in.source.FunctionID, "revision", in.source.ID, "instance", in.ID, "stream", stream)
	line := engine.Line{FunctionID: in.source.FunctionID, RevisionID: in.source.ID, InstanceID: in.ID, Stream: stream}
	return func(text string) {
		if receive := in.core.output.Load(); receive != nil {
			line := line
			line.Text = text
			(*receive)(line)
		}
		logger.LogAttrs(context.Background(), slog.LevelDebug, text)
	}
}

// terminate stops the instance gracefully. The caller holds the mutex.
func (in *Instance) terminate() {
	in.stopping = true
	in.stopStart()
	in.terminateOnce.Do(func() { close(in.terminated) })
}

// kill stops the instance immediately. The caller holds the mutex.
func (in *Instance) kill() {
	in.stopping = true
	in.stopStart()
	in.killOnce.Do(func() { close(in.killed) })
}

// event returns an event of the instance. The caller holds the mutex.
func (in *Instance) event(state engine.State) engine.Event {
	event := engine.Event{RevisionID: in.source.ID, InstanceID: in.ID, State: state}
	if state == engine.Ready {
		event.Address = in.address
	}
	return event
}

// unasked returns the reason of an end, or "" if the instance ended because it was stopped, and
// not by a crash: a caller who noticed a crash may have stopped the instance first.
func (in *Instance) unasked(reason string) string {
	in.core.mu.Lock()
	defer in.core.mu.Unlock()
	status, _, _ := strings.Cut(reason, ":")
	switch status {
	case Stopped, child.Exited(0), child.Killed(syscall.SIGTERM), child.Killed(syscall.SIGKILL):
		if in.stopping {
			return ""
		}
	}
	return reason
}
