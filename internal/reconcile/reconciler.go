package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/store"
)

// The kinds of objects that have transient statuses.
const (
	namespaceKind = "namespace"
	functionKind  = "function"
	tokenKind     = "token"
	cronKind      = "cron"
	triggerKind   = "trigger"
	domainKind    = "domain"
)

const (
	// startSlots is the number of start checks that may run concurrently.
	startSlots = 8
	// downloadSlots is the number of builds that may wait for the network
	// concurrently, and projectDownloadSlots those of one project.
	downloadSlots        = 8
	projectDownloadSlots = 2
)

// A Reconciler executes pending transitions. Each object is worked on by at most one
// goroutine at a time; different objects are worked on concurrently.
type Reconciler struct {
	config Config
	queue  *queue
	homes  *homes
	inUse  *artifactsInUse
	// workspaces limits how many builds occupy disk space, builds how many run,
	// downloads how many wait for the network, and starts the start checks.
	workspaces, builds, downloads *slots
	starts                        chan struct{}
	// volumesFail is set if the first build could not get a file system of its own,
	// and volumesWork once a build had one.
	volumesFail, volumesWork atomic.Bool
	// undecided has, by function ID, each replacement whose commit has an unknown
	// outcome.
	undecided sync.Map
	// running has, by function ID, the runningBuild of each build that runs.
	running sync.Map
	// retiring counts the goroutines that wait for the end of a retired revision.
	// They give up when stopped is closed.
	retiring sync.WaitGroup
	stopped  chan struct{}
}

// New returns a Reconciler to which changes can be applied. It returns an error that
// names the required fields of the configuration which are missing.
func New(c Config) (*Reconciler, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("configure reconciler: %w", err)
	}
	workspaces := 2 * (c.BuildSlots + downloadSlots)
	isHome := func(functionID string) bool {
		_, self := c.Owners.Home(functionID)
		return self
	}
	return &Reconciler{
		homes:  newHomes(isHome, c.Instances.Set),
		config: c, queue: newQueue(c.Owners.Owns), inUse: newArtifactsInUse(),
		workspaces: newSlots(workspaces, workspaces/4),
		builds:     newSlots(c.BuildSlots, c.BuildSlots/2),
		downloads:  newSlots(downloadSlots, projectDownloadSlots),
		starts:     make(chan struct{}, startSlots),
		stopped:    make(chan struct{}),
	}, nil
}

// Apply queues the object of a change if its status is transient. A newer deployment
// or the deletion of a function cancels the work on it.
func (r *Reconciler) Apply(change store.Change) {
	f, isFunction := change.Object.(functions.Function)
	if isFunction {
		r.homes.apply(f, change.Deleted)
	}
	if isFunction && !change.Deleted && r.queue.supersede(f) {
		return
	}
	i, needed := pendingItem(change.Object)
	switch {
	case needed && !change.Deleted:
		r.queue.put(i.key, i.owner)
	case i.kind != "":
		r.queue.drop(i.key)
	}
	if isFunction && change.Deleted {
		// The deletion of a namespace waits for its functions.
		r.queue.add(key{namespaceKind, f.NamespaceID})
	}
}

// pendingItem returns the keys of an object and its owner, and whether its status asks
// for work. The zero item is for objects without a status.
func pendingItem(object store.Object) (item, bool) {
	switch o := object.(type) {
	case functions.Namespace:
		return item{key{namespaceKind, o.ID}, o.ID}, o.Status.Transient()
	case functions.Function:
		return item{key{functionKind, o.ID}, o.ID}, o.Status.Transient()
	case functions.Token:
		return item{key{tokenKind, o.ID}, o.ID}, o.Status.Transient()
	case functions.Cron:
		return item{key{cronKind, o.ID}, o.FunctionID}, o.Status.Transient()
	case functions.Trigger:
		return item{key{triggerKind, o.ID}, o.FunctionID}, o.Status.Transient()
	case functions.Domain:
		return item{key{domainKind, o.ID}, o.FunctionID}, o.Status.Transient()
	}
	return item{}, false
}

// Reload implements store.Follower. It replaces the queue, and cancels work on
// functions that no longer exist and on older deployments.
func (r *Reconciler) Reload(store.Position) store.Loader {
	var waiting []item
	all := map[string]functions.Function{}
	return store.Loader{
		Add: func(o store.Object) {
			if i, needed := pendingItem(o); needed {
				waiting = append(waiting, i)
			}
			if f, ok := o.(functions.Function); ok {
				all[f.ID] = functions.Function{
					ID: f.ID, ProjectID: f.ProjectID, Generation: f.Generation, Status: f.Status,
					MinScale: f.MinScale, MaxScale: f.MaxScale, Revision: revisionOf(f),
				}
			}
		},
		Swap: func() {
			r.queue.replace(waiting, all)
			r.homes.replace(slices.Collect(maps.Values(all)))
		},
	}
}

// revisionOf returns the serving revision without its large fields, or nil.
func revisionOf(f functions.Function) *functions.Revision {
	if f.Revision == nil {
		return nil
	}
	return &functions.Revision{ID: f.Revision.ID, MemoryLimit: f.Revision.MemoryLimit}
}

// Run executes transitions until ctx ends, and returns nil when all work has ended.
// Call it once.
func (r *Reconciler) Run(ctx context.Context) error {
	defer r.queue.close()
	var group sync.WaitGroup
	group.Go(func() { r.reclaim(ctx) })
	group.Go(func() { r.pruneAll(ctx) })
	for range launches {
		group.Go(func() { r.serve(ctx) })
	}
	for {
		k, work, owner, ok := r.queue.take(ctx)
		if !ok {
			break
		}
		group.Go(func() { r.work(ctx, work, k, owner) })
	}
	group.Wait()
	close(r.stopped)
	r.retiring.Wait()
	return nil
}

// work executes one step for an object. A step that returns an error is retried with
// exponential backoff. A step returns nil if it recorded its failure in the object, as
// a deployment does for errors of the function's author, and store.ErrNotOwner if another
// node does the work.
func (r *Reconciler) work(ctx, work context.Context, k key, owner string) {
	err := r.step(work, k, owner)
	canceled := work.Err() != nil
	generation := r.queue.done(k)
	switch {
	case err == nil, functions.IsNotFound(err):
		r.queue.forget(k)
	case ctx.Err() != nil:
	case errors.Is(err, store.ErrNotOwner):
		r.queue.park(k)
	case canceled:
		r.queue.add(k)
	default:
		delay := r.queue.retry(k, generation)
		r.config.Log.Error("work on an object failed and will be retried", "kind", k.kind, k.kind+"_id", k.id, "retry_in", delay, "error", err)
	}
}

func (r *Reconciler) step(ctx context.Context, k key, owner string) error {
	owned := r.config.Owners.Owned(owner)
	switch k.kind {
	case namespaceKind:
		return r.namespace(ctx, owned, k.id)
	case functionKind:
		return r.function(ctx, k)
	case tokenKind:
		return r.token(ctx, owned, k.id)
	case cronKind:
		return r.cron(ctx, owned, k.id)
	case triggerKind:
		return r.trigger(ctx, owned, k.id)
	case domainKind:
		return r.domain(ctx, owned, k.id)
	}
	return fmt.Errorf("unknown kind of object: %s", k.kind)
}
