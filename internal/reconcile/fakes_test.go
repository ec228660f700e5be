package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

// A hook is a function that tests replace while others call it. The zero value is nil.
type hook[F any] struct{ p atomic.Pointer[F] }

func (h *hook[F]) set(f F) { h.p.Store(&f) }

func (h *hook[F]) get() (f F) {
	if p := h.p.Load(); p != nil {
		return *p
	}
	return f
}

// calls records calls of fakes, in order.
type calls struct {
	mu  sync.Mutex
	all []string
}

func (c *calls) add(call string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call)
}

func (c *calls) count(call string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, made := range c.all {
		if made == call {
			n++
		}
	}
	return n
}

// fakeEngine records the revisions that it is given.
type fakeEngine struct {
	calls

	apply hook[func(engine.Revision) error]
}

func (*fakeEngine) Home(dir string) string { return dir }

func (e *fakeEngine) Apply(_ context.Context, r engine.Revision) error {
	e.add(r.FunctionID)
	if apply := e.apply.get(); apply != nil {
		return apply(r)
	}
	return nil
}

// fakeInstances starts nothing. A revision that is retired ends when the test closes
// its channel.
type fakeInstances struct {
	calls

	warm    hook[func(ctx context.Context, revisionID string) error]
	remove  hook[func(revisionID string) error]
	mu      sync.Mutex
	retired map[string]chan struct{}
}

func (i *fakeInstances) Set(revisionID string, limits scale.Limits) {
	i.add("set " + revisionID)
	i.add(fmt.Sprintf("limits %s %d-%d", revisionID, limits.Min, limits.Max))
}

func (i *fakeInstances) Warm(ctx context.Context, revisionID string) error {
	i.add("warm " + revisionID)
	if warm := i.warm.get(); warm != nil {
		return warm(ctx, revisionID)
	}
	return nil
}

func (i *fakeInstances) Retire(revisionID string) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	ended := make(chan struct{})
	if i.retired == nil {
		i.retired = map[string]chan struct{}{}
	}
	i.retired[revisionID] = ended
	return ended
}

// Resume makes a revision whose calls have not ended accept calls again.
func (i *fakeInstances) Resume(revisionID string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	ended, retired := i.retired[revisionID]
	select {
	case <-ended:
		return false
	default:
	}
	i.add("resume " + revisionID)
	return retired
}

func (i *fakeInstances) isRetired(revisionID string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, retired := i.retired[revisionID]
	return retired
}

// end ends the calls of a retired revision. It returns false if the revision was not
// retired.
func (i *fakeInstances) end(revisionID string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	ended, ok := i.retired[revisionID]
	if ok {
		close(ended)
	}
	return ok
}

func (i *fakeInstances) Remove(_ context.Context, revisionID string) error {
	i.add("remove " + revisionID)
	if remove := i.remove.get(); remove != nil {
		return remove(revisionID)
	}
	return nil
}

// fakeBuilders builds a file that says "built".
type fakeBuilders struct {
	calls

	// build runs before the file is written.
	build hook[func(ctx context.Context, b runtime.Build) error]
	// cached makes results cacheable.
	cached atomic.Bool
}

func (b *fakeBuilders) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	b.add("build")
	if run := b.build.get(); run != nil {
		if err := run(ctx, build); err != nil {
			return runtime.Launch{}, err
		}
	}
	return runtime.Launch{Command: []string{"/bin/true"}}, os.WriteFile(filepath.Join(build.Output, "program"), []byte("built"), 0o755)
}

func (b *fakeBuilders) Name(_ string, _ runtime.Runtime, _ runtime.Handler, digest string) (string, bool) {
	return digest, b.cached.Load()
}

// fakeKeys returns the same key pair to all namespaces, or an error.
type fakeKeys struct {
	calls

	take hook[func() error]
}

func (k *fakeKeys) Take(context.Context) (token.KeyPair, error) {
	k.add("take")
	if take := k.take.get(); take != nil {
		if err := take(); err != nil {
			return token.KeyPair{}, err
		}
	}
	return keyPair()
}

// fakeNames is a DNS without proofs until so many look-ups were made.
type fakeNames struct {
	calls

	missing int
}

func (n *fakeNames) Proof(context.Context, string, string, string) (string, error) {
	n.add("proof")
	if n.count("proof") <= n.missing {
		return "", errors.New("no answer")
	}
	return "", nil
}

// fakeCertificates obtains none if err is set.
type fakeCertificates struct{ err error }

func (c fakeCertificates) Obtain(context.Context, string, string) error { return c.err }

// folderCaches gives each project a folder.
type folderCaches struct{ dir string }

func (c folderCaches) Use(_ context.Context, projectID string) (string, func(), error) {
	dir := filepath.Join(c.dir, projectID)
	return dir, func() {}, os.MkdirAll(dir, 0o700)
}

// fakeLogs stores nothing.
type fakeLogs struct{ calls }

func (l *fakeLogs) WriteBuild(functions.Function, string) error {
	l.add("write")
	return nil
}

func (l *fakeLogs) Remove(string) error {
	l.add("remove")
	return nil
}

// flakyStore fails updates with err while that is set.
type flakyStore struct {
	functions.Store

	mu       sync.Mutex
	err      error
	onUpdate hook[func()]
	// outcome replaces the result of an update that was committed.
	outcome hook[func() error]
}

func (s *flakyStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *flakyStore) Update(ctx context.Context, write func(functions.Tx) error) error {
	s.mu.Lock()
	err := s.err
	s.mu.Unlock()
	if called := s.onUpdate.get(); called != nil {
		called()
	}
	if err != nil {
		return err
	}
	if err := s.Store.Update(ctx, write); err != nil {
		return err
	}
	if outcome := s.outcome.get(); outcome != nil {
		return outcome()
	}
	return nil
}

// entries returns the sorted names in a folder. A folder that does not exist is empty.
func entries(dir string) []string {
	found, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return []string{err.Error()}
	}
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	slices.Sort(names)
	return names
}

// fakeOwners says that this node owns everything but what another one owns.
type fakeOwners struct {
	store functions.Store

	mu    sync.Mutex
	other map[string]bool
	// unleased means that this node has no lease.
	unleased bool
	// behind are keys that another node owns, which this node has not applied yet.
	behind map[string]bool
}

func (o *fakeOwners) Owns(owner string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.other[owner] && !o.unleased
}

func (o *fakeOwners) Home(functionID string) (store.Member, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return store.Member{}, !o.other[functionID]
}

func (o *fakeOwners) Owned(owner string) functions.Store { return ownedStore{o.store, o, owner} }

// give makes another node the owner of a key, and take this one.
func (o *fakeOwners) give(owner string) { o.set(o.other, owner, true) }
func (o *fakeOwners) take(owner string) { o.set(o.other, owner, false) }

func (o *fakeOwners) setUnleased(unleased bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.unleased = unleased
}

func (o *fakeOwners) set(in map[string]bool, owner string, to bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in[owner] = to
}

type ownedStore struct {
	functions.Store

	owners *fakeOwners
	owner  string
}

func (s ownedStore) Update(ctx context.Context, write func(functions.Tx) error) error {
	return s.Store.Update(ctx, func(tx functions.Tx) error {
		s.owners.mu.Lock()
		elsewhere := s.owners.other[s.owner] || s.owners.behind[s.owner]
		s.owners.mu.Unlock()
		if elsewhere {
			return store.ErrNotOwner
		}
		return write(tx)
	})
}
