package server

import (
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/dns"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/projectcache"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/languages"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

// generatedPairs is the number of key pairs that are generated in advance.
const generatedPairs = 2

// deployments are the parts that carry out pending transitions.
type deployments struct {
	pairs      *token.Pool
	reconciler *reconcile.Reconciler
}

func openDeployments(b *base, o *observability, i *instances, certificates *certificateSources, calls *calls) (*deployments, error) {
	if err := b.artifacts.SweepWorkspaces(reconcile.ReleaseWorkspace); err != nil {
		return nil, err
	}
	caches, err := openProjectCaches(b)
	if err != nil {
		return nil, err
	}
	c := b.config
	pairs := token.NewPool(generatedPairs, c.NewKeyPair)
	reconciler, err := reconcile.New(reconcile.Config{
		Owners: b.node, Store: store.Functions(b.store), Keys: pairs, Sealer: b.sealer, Archives: b.archives, Artifacts: b.artifacts,
		BuildCache: b.builds, BuildDisk: c.BuildDisk, BuildSlots: c.BuildsAtOnce, BuildTimeout: c.BuildTimeout, Logs: buildLogs{i.output},
		Volumes: i.volumes, Caches: caches, CacheLimit: c.ProjectCacheSize, Builders: i.builders,
		Engine: i.engine, Instances: i.scaler, Now: c.Now, NewID: c.NewID, Log: b.log, Observer: o.taskObserver(c.Now),
		Names: hostnameLookup(c), Sources: calls.brokers, Limits: c.Limits, Certificates: certificates,
	})
	if err != nil {
		return nil, err
	}
	calls.launcher.reconciler = reconciler
	b.node.Subscribe(reconciler.OwnersChanged)
	o.metrics.Homes(reconciler.Homes)
	return &deployments{pairs: pairs, reconciler: reconciler}, nil
}

func builders(c Config, toolchains *runtime.Toolchains) runtime.Builders {
	return languages.Builders(languages.Config{
		Go: golang.Config{Base: filepath.Join(c.CacheDir, "base")}, Rust: rust.Config{Crates: c.Crates, Share: c.ShareRustBuilds},
		Timeout: c.BuildTimeout,
	}, toolchains)
}

// openProjectCaches opens the build caches of projects. It refuses a folder that
// another user can change, since its content becomes code of functions.
func openProjectCaches(b *base) (*projectcache.Cache, error) {
	if err := projectcache.Secure(b.config.CacheDir); err != nil {
		return nil, err
	}
	return projectcache.Open(filepath.Join(b.config.CacheDir, "projects"), projectcache.Limits{
		Project: b.config.ProjectCacheSize, Total: b.config.CacheSize,
	}, b.config.Now, b.log)
}

// hostnameLookup returns the verification of custom hostnames; nil without a
// resolver.
func hostnameLookup(c Config) functions.Names {
	if c.DNSResolver == "" {
		return nil
	}
	return dns.New(c.DNSResolver)
}
