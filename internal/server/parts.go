package server

import (
	"context"
	"crypto/rand"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/jeton-dev/jeton/internal/api"
	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/broker"
	"github.com/jeton-dev/jeton/internal/dns"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/projectcache"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/token"
)

func (s *Server) openReconciler(context.Context) error {
	archives, err := files.OpenArchives(s.path("archives"))
	if err != nil {
		return err
	}
	artifacts, err := files.OpenArtifacts(s.path("artifacts"))
	if err != nil {
		return err
	}
	if err := artifacts.SweepWorkspaces(reconcile.ReleaseWorkspace); err != nil {
		return err
	}
	builds, err := files.OpenBuildCache(s.path("builds"), s.config.BuildCache, s.config.Now)
	if err != nil {
		return err
	}
	caches, err := s.openCaches()
	if err != nil {
		return err
	}
	s.pairs = token.NewPool(sparePairs, s.config.NewKeyPair)
	s.archives = archives
	s.reconcile, err = reconcile.New(reconcile.Config{
		Store: store.Functions(s.store), Keys: s.pairs, Sealer: s.sealer, Archives: archives, Artifacts: artifacts,
		BuildCache: builds, BuildDisk: s.config.BuildDisk, BuildSlots: s.config.BuildsAtOnce, Logs: buildLogs{s.output},
		Volumes: s.level == sandbox.Full, Caches: caches, CacheLimit: s.config.ProjectCacheSize,
		Builders: runtime.Builders{
			runtime.Go: golang.New(golang.Config{
				Base: filepath.Join(s.config.CacheDir, "base"), Timeout: s.config.BuildTimeout,
			}, s.toolchains),
			runtime.Node:   node.New(s.toolchains),
			runtime.Python: python.New(s.toolchains),
			runtime.PHP:    php.New(php.Config{Timeout: s.config.BuildTimeout}, s.toolchains),
			runtime.Rust: rust.New(rust.Config{
				Crates: s.config.Crates, Share: s.config.ShareRustBuilds, Timeout: s.config.BuildTimeout,
			}, s.toolchains),
		},
		Toolchains: s.toolchains, Workers: workers(), Engine: s.engine, Instances: s.scaler, BuildTimeout: s.config.BuildTimeout,
		Now: s.config.Now, NewID: s.config.NewID, Log: s.log, Observer: s.taskObserver(),
		Names: s.names(), Sources: s.brokers, Limits: s.config.Limits,
		Certificates: customCertificates{s},
	})
	return err
}

// openCaches opens the caches of projects. A folder that another user can change is
// refused: what is in it becomes code of functions.
func (s *Server) openCaches() (*projectcache.Cache, error) {
	if err := projectcache.Secure(s.config.CacheDir); err != nil {
		return nil, err
	}
	return projectcache.Open(filepath.Join(s.config.CacheDir, "projects"), projectcache.Limits{
		Project: s.config.ProjectCacheSize, Total: s.config.CacheSize,
	}, s.config.Now, s.log)
}

// apiHandler answers the API's callers. Those who follow something are let go when
// stopping is closed.
func (s *Server) apiHandler(stopping <-chan struct{}) http.Handler {
	a := &api.API{
		Service: &functions.Service{
			Store: store.Functions(s.store), Runtimes: catalogue{s.config.StrictRuntimes}, Minter: token.NewMinter(s.sealer),
			Hasher: make(hasher, hashersAtOnce), Sealer: s.sealer, Limits: s.config.Limits, Domain: s.config.Domain, Names: s.names(),
			Now: s.config.Now, NewID: s.config.NewID, NewSuffix: newSuffix,
		},
		Keys: settledKeys{s.directory, s.store}, Projects: s.owner, Attempts: iam.NewAttempts(s.config.WrongKeys), Archives: s.archives,
		Runtimes: runtime.All(), Toolchain: s.toolchains.Serving, URLKey: s.urlKey,
		URL: s.config.APIURL, Trusted: s.config.TrustedProxies.Contains,
		Logs: functionLogs{s.path(output.Dir)}, Stopping: stopping, PublicKeys: s.keys.Document, Now: s.clock.Now, NewID: s.config.NewID, Log: s.log, Observer: s.requestObserver(),
	}
	return a.Handler()
}

// settledKeys are the API keys of a directory, while it is known that the directory
// has every change that was stored.
type settledKeys struct {
	*iam.Directory

	store store.Store
}

// Authenticate is that of the directory. Returns an error with the code Unavailable
// while a key may have been deleted that the directory still has.
func (k settledKeys) Authenticate(secretKey string, now time.Time) (iam.APIKey, error) {
	if !k.store.Settled() {
		return iam.APIKey{}, store.ErrUnsettled
	}
	return k.Directory.Authenticate(secretKey, now)
}

// Recheck is that of the directory, with the same exception.
func (k settledKeys) Recheck(accessKey string, now time.Time) (iam.APIKey, error) {
	if !k.store.Settled() {
		return iam.APIKey{}, store.ErrUnsettled
	}
	return k.Directory.Recheck(accessKey, now)
}

func (s *Server) openGateway() error {
	s.gateway = &gateway.Gateway{
		Table: s.table, Keys: s.directory, Settled: s.store.Settled, Instances: s.scaler, PassToken: s.config.PassToken,
		MaxPayload: s.config.Limits.PayloadSize, Limits: s.config.Traffic.Limits, Memory: s.bodies, HeaderMemory: s.heads, MinBodyRate: s.config.Traffic.MinBodyRate,
		RefuseTokens: s.config.RefuseTokens, RefuseKeys: s.config.RefuseAPIKeys, Proxies: s.config.TrustedProxies,
		Now: s.clock.Now, NewID: s.config.NewID, Log: s.log, Observer: s.callObserver(),
	}
	var err error
	s.crons, err = schedule.NewCrons(schedule.CronsConfig{
		Store: store.Functions(s.store), Calls: s.gateway.Internal(), Grace: s.config.StopTimeout, Now: s.config.Now, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.triggers, err = schedule.NewTriggers(schedule.TriggersConfig{
		Brokers: s.brokers, Calls: s.gateway.Internal(), Grace: s.config.StopTimeout, Log: s.log, Observer: s.metrics.Triggers(),
	})
	return err
}

// openBrokers reads who keeps the messages of triggers.
func (s *Server) openBrokers(context.Context) error {
	s.brokers = &broker.Brokers{Opener: s.sealer, Anywhere: s.config.QueuesAnywhere}
	if s.config.Brokers == "" {
		return nil
	}
	var err error
	s.brokers.Config, err = broker.Load(s.config.Brokers)
	return err
}

// catalogue implements functions.Runtimes.
type catalogue struct {
	// strict refuses what the real service refuses.
	strict bool
}

func (c catalogue) Runtime(name string) (functions.RuntimeInfo, bool) {
	r, ok := runtime.Lookup(name)
	info := functions.RuntimeInfo{
		Name: r.Name, Language: r.Language, DefaultHandler: r.DefaultHandler,
	}
	if c.strict && (r.Status == runtime.EndOfSupport || r.Status == runtime.EndOfLife) {
		info.NoCreate = r.StatusMessage
	}
	if c.strict && r.Status == runtime.EndOfLife {
		info.NoUpdate = r.StatusMessage
	}
	return info, ok
}

func (c catalogue) CheckHandler(language, handler string) error {
	_, err := runtime.ParseHandler(language, handler)
	return err
}

// hasher implements functions.Hasher with the parameters of Scaleway's hashes,
// read off recorded traffic. One hash takes 64 MiB of memory, so that only few
// are made at once.
type hasher chan struct{}

const hashersAtOnce = 2

func (h hasher) Hash(ctx context.Context, value secret.String) (string, error) {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return argon2id.CreateHash(value.Reveal(), &argon2id.Params{
		Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32,
	})
}

// newSuffix is eight random letters and digits.
func newSuffix() string { return strings.ToLower(rand.Text()[:8]) }

// names checks custom hostnames, if the configuration says by whom.
func (s *Server) names() functions.Names {
	if s.config.DNSResolver == "" {
		return nil
	}
	return dns.New(s.config.DNSResolver)
}
