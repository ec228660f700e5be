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
	"time"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/instances"
	"github.com/jeton-dev/jeton/internal/engine/printed"
	"github.com/jeton-dev/jeton/internal/sandbox"
)

// The defaults of Config.
const (
	// DefaultReadyTimeout is the time that Scaleway's runtime gave a function to
	// listen.
	DefaultReadyTimeout = 10 * time.Second
	// DefaultGrace is the time that an instance without a call gets to shut down.
	DefaultGrace = 5 * time.Second
)

// Config configures an Engine. A zero field means its default; Artifacts and Starter
// are required.
type Config struct {
	// Artifacts provides the code of instances.
	Artifacts Artifacts
	// Starter determines how instances are started.
	Starter Starter
	// Dir is the folder in which the engine creates a folder for its sockets and
	// working folders; by default the system's folder for temporary files. Its path
	// must be short: see engine.MaxSocketPath.
	Dir string
	// ReadyTimeout is the time within which an instance must report that it serves.
	ReadyTimeout time.Duration
	// Grace is the time between SIGTERM and SIGKILL for instances that are stopped.
	Grace time.Duration
	// NewID returns the ID of a new instance: unique, at most 14 bytes, and a valid
	// file name.
	NewID func() string
	// Now is the clock of demand, boosts and output rates.
	Now func() time.Time
	// Isolation is the isolation level of instances.
	Isolation sandbox.Level
	// Visible are folders and files of this machine that instances see, read-only, in
	// addition to the system's: interpreters in other places.
	Visible []string
	// Workers are the interpreters of the warm pool, by language.
	Workers map[string]Worker
	// Cause returns a parser that extracts the cause of a crash from the standard error
	// of a language's programs. By default the cause is the last line.
	Cause func(language string) printed.Cause
	// Egress is the network policy of instances at isolation level full; nil for no
	// network.
	Egress *egress.Policy
	// Disk is the size of each instance's disk at isolation level full, in bytes. The
	// disk holds /tmp and all changes to the home folder; its file is in DiskDir. If
	// Disk is 0, /tmp is in memory, and the rest is read-only.
	Disk    int64
	DiskDir string
	// DiskReserve is the space in bytes that disks leave free on the file system of
	// DiskDir: with less, the engine ends instances with large disks. 0 for 5 % of the
	// file system, but at most 10 GiB.
	DiskReserve int64
	// WarmPool is the size of the warm pool, which exists at isolation level full.
	WarmPool WarmPool
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
		c.Cause = func(string) printed.Cause { return new(printed.LastLine) }
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

// An Engine runs instances as child processes of this process. It implements
// engine.Engine; all methods are safe for concurrent use, except SetOutput.
type Engine struct {
	*instances.Set[*revision, *instance]
	config Config
	logger *slog.Logger
	folder *folder
	// host creates sandboxes; nil at isolation level none.
	host    *sandbox.Host
	visible []string
	pool    *pool
	boosts  *boosts
	// stopGuard ends the guard of the free disk space.
	stopGuard func()
}

var _ engine.Engine = (*Engine)(nil)

// New returns an engine without instances. It removes the files that engines of
// killed servers have left in Dir. The caller closes the engine.
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
		stopGuard: func() {},
		boosts:    &boosts{now: config.Now, spent: map[string]*boost{}},
	}
	e.Set = instances.New(instances.Config[*revision, *instance]{
		Name: "process engine", NewID: config.NewID, New: newInstance, Run: e.run, Log: logger,
		Applied: func(r *revision) { e.pool.add(r) },
		Deleted: func(id string) { e.pool.remove(id) },
	})
	if err := e.openHost(); err != nil {
		return nil, errors.Join(fmt.Errorf("process engine: %w", err), folder.remove())
	}
	return e, nil
}

func (e *Engine) openHost() error {
	if e.config.Isolation == sandbox.None {
		return nil
	}
	if err := e.folder.writeBootstraps(e.config.Workers); err != nil {
		return err
	}
	host, err := sandbox.Open(e.config.Isolation, filepath.Base(e.folder.path))
	if err != nil {
		return err
	}
	if e.config.Isolation == sandbox.Full && e.config.Disk > 0 {
		if err := host.OpenDisks(e.config.DiskDir, e.config.Disk); err != nil {
			return errors.Join(fmt.Errorf("%w (--instance-disk=0 runs instances without a disk)", err), host.Close())
		}
	}
	e.host = host
	if e.config.Isolation == sandbox.Full && e.config.Disk > 0 {
		e.stopGuard = e.guardDisk()
	}
	if host.CanMountCode() && e.config.WarmPool.Min > 0 {
		e.pool = newPool(e, e.config.WarmPool)
	}
	return nil
}

// Host returns the creator of the engine's sandboxes; nil at isolation level none.
// All sandboxes that others create with it must end before Close.
func (e *Engine) Host() *sandbox.Host { return e.host }

// Prove checks that the isolation layers of instances work. It returns an error if a
// sandbox of the level, with its network, cannot be created.
func (e *Engine) Prove(ctx context.Context) (sandbox.Report, error) {
	if e.host == nil {
		return nil, nil
	}
	s, err := e.newSandboxed(ctx, nil)
	if err != nil {
		return nil, err
	}
	s.discard()
	return e.host.Prove(ctx)
}

// Close terminates all instances and returns when they have ended. Watches end after
// the last event.
func (e *Engine) Close() error {
	if !e.Set.Close() {
		return nil
	}
	e.stopGuard()
	e.pool.close()
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
	return e.Add(resolved)
}
