package process

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// The defaults of Config.
const (
	// DefaultReadyTimeout is how long Scaleway's own runtime waited for a
	// function to listen.
	DefaultReadyTimeout = 10 * time.Second
	// DefaultGrace lets an instance that serves no call put its things in order.
	DefaultGrace = 5 * time.Second
)

var errClosed = errors.New("process engine is closed")

// Config is how an Engine runs instances. A zero field stands for its default;
// Artifacts and Starter have none.
type Config struct {
	// Artifacts finds the code of instances.
	Artifacts Artifacts
	// Starter determines how instances are started.
	Starter Starter
	// Dir is where the engine makes the folder of its sockets and working
	// folders; by default the system's folder for temporary files. It has a
	// short name, for a socket's path may be no longer than about 100 bytes.
	Dir string
	// ReadyTimeout is how long an instance may take to report that it serves.
	ReadyTimeout time.Duration
	// Grace is how long an instance that is asked to go may take.
	Grace time.Duration
	// NewID makes the IDs of instances: short, unique, fit for file names.
	NewID func() string
	// Now is the clock of demand.
	Now func() time.Time
	// Isolation is the level of the sandboxes in which instances run.
	Isolation sandbox.Level
	// Visible are folders and files of this machine that instances see, read
	// only, beside those of the system: interpreters that are elsewhere.
	Visible []string
	// Workers are the interpreters that can be started before it is known for
	// which function, by language.
	Workers map[string]Worker
	// Cause finds in what the programs of a language write to standard error why
	// they ended; by default it is the last line.
	Cause func(language string) Cause
	// Egress says what instances reach of the network, where the level allows
	// that; nil for nothing.
	Egress *egress.Policy
	// Disk is the size of each instance's own disk, in bytes, on which are its /tmp
	// and what it changes beside its code; DiskDir is the folder whose file system
	// they are on. They are for level Full; with 0, /tmp is in memory and nothing else
	// can be changed.
	Disk    int64
	DiskDir string
	// Spare says how many sandboxes are made ahead of need, where the level
	// allows that.
	Spare Spare
}

func (c Config) orDefaults() Config {
	if c.Dir == "" {
		c.Dir = os.TempDir()
	}
	if c.ReadyTimeout == 0 {
		c.ReadyTimeout = DefaultReadyTimeout
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	if c.NewID == nil {
		c.NewID = randomID
	}
	if c.Cause == nil {
		c.Cause = func(string) Cause { return new(lastLine) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func randomID() string {
	var id [6]byte
	_, _ = rand.Read(id[:]) // It never fails: see its documentation.
	return "i" + hex.EncodeToString(id[:])
}

// An Engine runs instances as child processes of this one.
type Engine struct {
	config Config
	logger *slog.Logger
	folder *folder
	// host makes the sandboxes, and is nil where there are none.
	host    *sandbox.Host
	visible []string
	pool    *pool
	boosts  *boosts
	running sync.WaitGroup
	// output is set by SetOutput.
	output atomic.Pointer[func(engine.Line)]

	mu        sync.Mutex
	closed    bool
	revisions map[string]*revision
	instances map[string]*instance
	watchers  map[*watcher]struct{}
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine without instances. It removes what engines of servers
// that were killed left in the same Dir. Close it after use.
func New(config Config, logger *slog.Logger) (*Engine, error) {
	if config.Artifacts == nil || config.Starter == nil {
		return nil, errors.New("process engine: artifacts and a starter are required")
	}
	config = config.orDefaults()
	folder, err := openFolder(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("process engine: %w", err)
	}
	e := &Engine{
		config:    config,
		logger:    logger,
		folder:    folder,
		visible:   append(sandbox.SystemFolders(), config.Visible...),
		boosts:    &boosts{now: config.Now, spent: map[string]*boost{}},
		revisions: map[string]*revision{},
		instances: map[string]*instance{},
		watchers:  map[*watcher]struct{}{},
	}
	if err := e.openHost(); err != nil {
		return nil, errors.Join(fmt.Errorf("process engine: %w", err), folder.remove())
	}
	return e, nil
}

func (e *Engine) openHost() error {
	if e.config.Isolation == sandbox.None {
		return nil
	}
	if err := e.folder.layBootstraps(e.config.Workers); err != nil {
		return err
	}
	host, err := sandbox.Open(e.config.Isolation, filepath.Base(e.folder.path))
	if err != nil {
		return err
	}
	if e.config.Isolation == sandbox.Full && e.config.Disk > 0 {
		if err := host.OpenDisks(e.config.DiskDir, e.config.Disk); err != nil {
			return errors.Join(fmt.Errorf("%w (--instance-disk=0 leaves instances without)", err), host.Close())
		}
	}
	e.host = host
	if host.CanMountCode() && e.config.Spare.Least > 0 {
		e.pool = newPool(e, e.config.Spare)
	}
	return nil
}

// Host makes the engine's sandboxes; nil if instances are not isolated. It is the
// engine's: what else runs in its sandboxes ends before the engine is closed.
func (e *Engine) Host() *sandbox.Host { return e.host }

// Prove reports whether the walls around instances stand. It returns an error if a
// sandbox such as theirs cannot be made, with its way out to the network.
func (e *Engine) Prove(ctx context.Context) (sandbox.Report, error) {
	if e.host == nil {
		return nil, nil
	}
	b, err := e.newBox(ctx, nil)
	if err != nil {
		return nil, err
	}
	b.discard()
	return e.host.Prove(ctx)
}

// SetOutput implements engine.Engine. What instances print goes to the log, too,
// at the level Debug.
func (e *Engine) SetOutput(receive func(engine.Line)) { e.output.Store(&receive) }

// Close asks all instances to go and returns when all have ended. The watches
// end after the last event.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	for _, in := range e.instances {
		in.terminate()
	}
	e.mu.Unlock()

	e.running.Wait()
	e.pool.close()
	e.mu.Lock()
	for w := range e.watchers {
		w.close()
	}
	for _, r := range e.revisions {
		r.drop()
	}
	e.mu.Unlock()
	var err error
	if e.host != nil {
		err = e.host.Close()
	}
	return errors.Join(err, e.folder.remove())
}

// Apply implements engine.Engine.
func (e *Engine) Apply(ctx context.Context, r engine.Revision) error {
	resolved, err := e.resolve(ctx, r)
	if err != nil {
		return fmt.Errorf("apply revision %q: %w", r.ID, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		resolved.drop()
		return errClosed
	}
	if before := e.revisions[r.ID]; before != nil {
		before.drop()
	}
	e.revisions[r.ID] = resolved
	e.pool.want(resolved)
	return nil
}

// SetScale implements engine.Engine.
func (e *Engine) SetScale(_ context.Context, revisionID string, n int, victims []string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.revisions[revisionID]
	switch {
	case e.closed:
		return errClosed
	case !ok:
		return fmt.Errorf("set scale of %q: %w", revisionID, engine.ErrUnknownRevision)
	}
	live := 0
	for _, in := range e.instances {
		if in.revision.id == revisionID && !in.stopping {
			live++
		}
	}
	for ; live < n; live++ {
		e.start(r)
	}
	for _, id := range victims {
		in := e.instances[id]
		if live > n && in != nil && in.revision.id == revisionID && !in.stopping {
			in.terminate()
			live--
		}
	}
	return nil
}

func (e *Engine) start(r *revision) {
	in := newInstance(e.config.NewID(), r)
	r.users++
	e.instances[in.id] = in
	e.emit(in.event(engine.Starting))
	e.running.Go(func() { e.run(in) })
}

// Stop implements engine.Engine.
func (e *Engine) Stop(_ context.Context, instanceID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in := e.instances[instanceID]; in != nil {
		in.kill()
	}
	return nil
}

// Delete implements engine.Engine.
func (e *Engine) Delete(ctx context.Context, revisionID string) error {
	var ending []*instance
	e.mu.Lock()
	if r := e.revisions[revisionID]; r != nil {
		delete(e.revisions, revisionID)
		r.drop()
	}
	e.pool.forget(revisionID)
	for _, in := range e.instances {
		if in.revision.id == revisionID {
			in.kill()
			ending = append(ending, in)
		}
	}
	e.mu.Unlock()
	for _, in := range ending {
		select {
		case <-in.ended:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of instance %s: %w", in.id, ctx.Err())
		}
	}
	return nil
}
