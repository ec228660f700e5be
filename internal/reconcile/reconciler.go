package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/token"
)

// The kinds of objects that have transient states.
const (
	namespaceKind = "namespace"
	functionKind  = "function"
	tokenKind     = "token"
	cronKind      = "cron"
	triggerKind   = "trigger"
	domainKind    = "domain"
)

const (
	// starters is how many functions may be starting their first instance at once.
	// Whatever waits for one of these, for a build, or for a key, holds up nothing
	// else.
	starters = 8
	// downloads is how many builds may be waiting for the network at once, and
	// projectDownloads those of one project.
	downloads        = 8
	projectDownloads = 2
	// retryDelay is how long an object rests after work on it that failed for
	// a reason of the server's own.
	retryDelay = 2 * time.Second
)

// KeyPairs gives key pairs for namespaces.
type KeyPairs interface {
	Take(context.Context) (token.KeyPair, error)
}

// Instances is what a deployment needs of package scale.
type Instances interface {
	Set(revisionID string, limits scale.Limits)
	Warm(ctx context.Context, revisionID string) error
	Retire(revisionID string) <-chan struct{}
	Remove(ctx context.Context, revisionID string) error
}

// Sources knows who keeps the messages of triggers.
type Sources interface {
	// Check tells why a trigger's messages cannot be had; nil if nothing is
	// known to stand in the way.
	Check(t functions.Trigger) error
}

// Logs keeps the logs of functions.
type Logs interface {
	// WriteBuild keeps the log of a function's latest build.
	WriteBuild(f functions.Function, text string) error
	// Remove removes the logs of a function.
	Remove(functionID string) error
}

// Caches has, for each project, a folder for what makes its builds quick.
type Caches interface {
	// Use returns the folder, which is there until done was called.
	Use(ctx context.Context, projectID string) (folder string, done func(), err error)
}

// Certificates has certificates signed.
type Certificates interface {
	// Obtain returns once there is a certificate for the host.
	Obtain(ctx context.Context, host, project string) error
}

// Reconciler does the work. All fields but Observer and Names must be
// set.
type Reconciler struct {
	Store     functions.Store
	Keys      KeyPairs
	Sealer    token.Sealer
	Archives  blob.Archives
	Artifacts blob.Artifacts
	// Builds has what was built before, of the same.
	Builds blob.BuildCache
	// Logs keeps what builds print.
	Logs       Logs
	Builders   runtime.Builders
	Toolchains *runtime.Toolchains
	// Workers are the interpreters that the engine starts ahead of need, by
	// language.
	Workers   map[string]runtime.Worker
	Engine    engine.Engine
	Instances Instances
	// Limits are those of archives and calls.
	Limits functions.Limits
	// BuildTimeout bounds one build.
	BuildTimeout time.Duration
	// BuildDisk bounds what one build may have on the disk at once, in bytes.
	BuildDisk int64
	// Volumes gives each build a file system of that size, where the machine can.
	Volumes bool
	// BuildSlots is how many builds may work at once. One project has at most half
	// of them, and at least one.
	BuildSlots int
	// Caches has the caches of projects, each of which has at most CacheLimit bytes
	// between builds.
	Caches     Caches
	CacheLimit int64
	Now        func() time.Time
	NewID      func() string
	Log        *slog.Logger
	Observer   Observer
	// Names checks the hostnames of domains; nil takes them as they come.
	Names functions.Names
	// Certificates has certificates for custom hostnames; nil where others do.
	Certificates Certificates
	// Sources tells of triggers whose messages cannot be had.
	Sources Sources

	queue *queue
	live  *live
	// begun are turns to have something on the disk, building to work, and
	// downloading to wait for the network.
	begun, building, downloading *turns
	starting                     chan struct{}
	// unmountable is true once a build could have no file system of its own.
	unmountable atomic.Bool
	// mountable is set once a build had a file system of its own.
	mountable atomic.Bool
	// cleaning counts those who wait for a retired revision to end; stopped
	// tells them that they need not.
	cleaning sync.WaitGroup
	stopped  chan struct{}
}

// Start prepares the reconciler: from here on it can be told of changes.
func (r *Reconciler) Start() {
	r.queue, r.live = newQueue(), newLive()
	r.starting = make(chan struct{}, starters)
	r.building = newTurns(r.BuildSlots, r.BuildSlots/2)
	r.downloading = newTurns(downloads, projectDownloads)
	begun := 2 * (r.BuildSlots + downloads)
	r.begun = newTurns(begun, begun/4)
	r.stopped = make(chan struct{})
}

// Apply notes the change of an object that may need work because of it.
func (r *Reconciler) Apply(change functions.Change) {
	switch o := change.Object.(type) {
	case functions.Namespace:
		r.addTransient(change, namespaceKind, o.Status)
	case functions.Function:
		if change.Deleted {
			// A namespace that is being deleted waits for its functions.
			r.queue.add(key{namespaceKind, o.NamespaceID})
			return
		}
		r.queue.supersede(o)
		if o.Status.Transient() {
			r.queue.add(key{functionKind, o.ID})
		}
	case functions.Token:
		r.addTransient(change, tokenKind, o.Status)
	case functions.Cron:
		r.addTransient(change, cronKind, o.Status)
	case functions.Trigger:
		r.addTransient(change, triggerKind, o.Status)
	case functions.Domain:
		r.addTransient(change, domainKind, o.Status)
	}
}

func (r *Reconciler) addTransient(change functions.Change, kind string, status functions.Status) {
	if !change.Deleted && status.Transient() {
		r.queue.add(key{kind, change.Object.ObjectID()})
	}
}

// Run works until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	var group sync.WaitGroup
	for {
		k, work, ok := r.queue.take(ctx)
		if !ok {
			break
		}
		group.Go(func() { r.work(ctx, work, k) })
	}
	group.Wait()
	close(r.stopped)
	r.cleaning.Wait()
	return nil
}

// work takes one object one step on. What fails for a reason of the server's
// own is tried again later.
func (r *Reconciler) work(ctx, work context.Context, k key) {
	err := r.step(work, k)
	r.queue.done(k)
	if err == nil || functions.CodeOf(err) == functions.NotFound || ctx.Err() != nil {
		return
	}
	if errors.Is(err, context.Canceled) {
		r.queue.add(k)
		return
	}
	r.Log.Error("work on an object failed and will be tried again", "kind", k.kind, "id", k.id, "error", err)
	time.AfterFunc(retryDelay, func() { r.queue.add(k) })
}

func (r *Reconciler) step(ctx context.Context, k key) error {
	switch k.kind {
	case namespaceKind:
		return r.namespace(ctx, k.id)
	case functionKind:
		return r.function(ctx, k)
	case tokenKind:
		return r.token(ctx, k.id)
	case cronKind:
		return r.cron(ctx, k.id)
	case triggerKind:
		return r.trigger(ctx, k.id)
	case domainKind:
		return r.domain(ctx, k.id)
	}
	return fmt.Errorf("no work is known for a %s", k.kind)
}
