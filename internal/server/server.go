package server

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"

	"github.com/gofrs/flock"
	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/broker"
	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/metrics"
	"github.com/jeton-dev/jeton/internal/ops"
	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/schedule"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/token"
	"github.com/jeton-dev/jeton/internal/tracing"
	"github.com/jeton-dev/jeton/internal/usage"
)

// ErrInUse is returned where another server uses the data folder.
var ErrInUse = errors.New("another jeton serves from this data folder: stop it, or choose another folder with --data-dir")

// Endpoints are where a server is reached. They stand in a file of the data
// folder while it runs.
type Endpoints struct {
	API     string `json:"api"`
	Gateway string `json:"gateway"`
	// GatewayTLS and Ops are empty where those ports are turned off.
	GatewayTLS string `json:"gateway_tls,omitempty"`
	Ops        string `json:"ops,omitempty"`
	// Admin is the path of the unix socket for the owner's commands.
	Admin string `json:"admin"`
}

// EndpointsFile is the name of that file.
const EndpointsFile = "endpoints.json"

// lockFile is locked as long as a server uses the folder.
const lockFile = "lock"

// Server is a running Jeton.
type Server struct {
	config    Config
	log       *slog.Logger
	clock     *clock
	lock      *flock.Flock
	sealer    *secret.Sealer
	urlKey    []byte
	store     store.Store
	directory *iam.Directory
	table     *gateway.Table
	gateway   *gateway.Gateway
	// connections, heads and bodies bound the traffic of all ports together.
	connections, apiConnections *gateway.Connections
	heads, bodies               *gateway.Memory
	crons                       *schedule.Crons
	triggers                    *schedule.Triggers
	brokers                     *broker.Brokers
	keys                        *token.KeySet
	uses                        *usage.Recorder
	// owner holds the rules of projects and API keys.
	owner     *admin.Service
	metrics   *metrics.Metrics
	auditor   *audit.Auditor
	readiness *ops.Readiness
	// tracer is nil unless the environment asks for spans.
	tracer *tracing.Tracer
	// certificates is nil where there is no port for TLS.
	certificates certificates
	// acme is nil unless an authority is named.
	acme      *certificate.ACME
	followers *store.Fanout
	// restored and scaling tell how far the server is on its way to serve.
	restored, scaling atomic.Bool
	pairs             *token.Pool
	output            *output.Logs
	outputFails       atomic.Bool
	toolchains        *runtime.Toolchains
	engine            *process.Engine
	level             sandbox.Level
	scaler            *scale.Scaler
	archives          blob.Archives
	reconcile         *reconcile.Reconciler
	// gatewayTLS and ops are nil where those ports are turned off.
	listeners struct{ api, gateway, gatewayTLS, ops, admin net.Listener }
	endpoints Endpoints
	// opened are closed in reverse order.
	opened []io.Closer
	// issued is the API key of the first start.
	issued *scw.Profile
}

// Open makes everything ready to serve: it takes the data folder, opens what
// is in it, and listens. Calls wait until Run.
func Open(ctx context.Context, config Config, log *slog.Logger) (_ *Server, err error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: config, log: log, clock: &clock{now: config.Now, log: log}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, open := range []func(context.Context) error{
		s.takeFolder, s.openTraffic, s.openStore, s.lookAtClock, s.openAudit, s.openBrokers, s.listen, s.listenAdmin, s.introduce, s.observe, s.openOutput, s.openEngine, s.follow, s.openCertificates, s.announce,
	} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Serving tells whether a server uses a data folder now.
func Serving(dataDir string) bool {
	if _, err := os.Stat(filepath.Join(dataDir, EndpointsFile)); err != nil {
		return false
	}
	lock := flock.New(filepath.Join(dataDir, lockFile))
	free, err := lock.TryLock()
	if err == nil && free {
		_ = lock.Unlock()
	}
	return err == nil && !free
}

// Reach returns where the server that uses a data folder now is reached, and
// whether there is one.
func Reach(dataDir string) (Endpoints, bool) {
	var endpoints Endpoints
	if !Serving(dataDir) {
		return endpoints, false
	}
	content, err := os.ReadFile(filepath.Join(dataDir, EndpointsFile))
	if err != nil || json.Unmarshal(content, &endpoints) != nil {
		return endpoints, false
	}
	return endpoints, true
}

// Endpoints returns where the server is reached.
func (s *Server) Endpoints() Endpoints { return s.endpoints }

// Issued returns the credentials that this start has made, with the secret
// key, or nil if an earlier one did.
func (s *Server) Issued() *scw.Profile { return s.issued }

func (s *Server) opens(c io.Closer) { s.opened = append(s.opened, c) }

// Close releases everything that Open took. Run must have returned.
func (s *Server) Close() error {
	var err error
	for i := len(s.opened) - 1; i >= 0; i-- {
		err = errors.Join(err, s.opened[i].Close())
	}
	s.opened = nil
	return err
}

func (s *Server) path(name string) string { return filepath.Join(s.config.DataDir, name) }

// takeFolder takes the data folder for this server alone. The paths of folders
// are made absolute: builds and instances run in folders of their own.
func (s *Server) takeFolder(context.Context) (err error) {
	// What whoever started the server has left open is for no function to find.
	if err := child.CloseInheritedOnExec(); err != nil {
		return err
	}
	for _, folder := range []*string{&s.config.DataDir, &s.config.CacheDir} {
		if *folder, err = filepath.Abs(*folder); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	if err := os.MkdirAll(s.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	// One that was there may have been open to others.
	if err := os.Chmod(s.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.lock = flock.New(s.path(lockFile))
	taken, err := s.lock.TryLock()
	if err != nil {
		return fmt.Errorf("data folder %s: %w", s.config.DataDir, err)
	}
	if !taken {
		return fmt.Errorf("%s: %w", s.config.DataDir, ErrInUse)
	}
	s.opens(s.lock)
	return nil
}

const (
	keyFile      = "secret.key"
	databaseFile = "jeton.db"
)

// keyIsThere refuses a database whose key is missing: another key would open
// nothing of what the first has sealed.
func (s *Server) keyIsThere() error {
	_, keyErr := os.Stat(s.path(keyFile))
	_, databaseErr := os.Stat(s.path(databaseFile))
	if errors.Is(keyErr, os.ErrNotExist) && databaseErr == nil {
		return fmt.Errorf("%s is missing, and without it the sealed values of %s are lost: restore it from a backup", s.path(keyFile), databaseFile)
	}
	return nil
}

// MissingKey returns where the key of a data folder's sealed values should be, if
// it is not there.
func MissingKey(dataDir string) string {
	path := filepath.Join(dataDir, keyFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return path
	}
	return ""
}

func (s *Server) openStore(ctx context.Context) error {
	if err := s.keyIsThere(); err != nil {
		return err
	}
	key, err := secret.LoadKey(s.path(keyFile))
	if err != nil {
		return fmt.Errorf("key of the sealed values: %w", err)
	}
	if s.sealer, err = secret.NewSealer(key); err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("signed addresses"))
	s.urlKey = mac.Sum(nil)
	if s.store, err = sqlite.Open(ctx, s.path(databaseFile), s.config.Now); err != nil {
		return err
	}
	s.opens(s.store)
	return nil
}

func (s *Server) introduce(ctx context.Context) (err error) {
	apiURL := cmp.Or(s.config.APIURL, s.endpoints.API)
	if s.issued, err = introduce(ctx, s.store, s.config, apiURL); err != nil {
		return fmt.Errorf("first project: %w", err)
	}
	if s.issued != nil {
		s.log.Info("made a project and an API key", "credentials", s.config.Credentials)
		return nil
	}
	return readdress(s.config.Credentials, apiURL)
}

// follow has everything that keeps its own view of the objects follow the
// changes: whoever admits first, so that a revocation never waits for the
// rest.
func (s *Server) follow(ctx context.Context) error {
	s.directory, s.table, s.keys = iam.NewDirectory(), gateway.NewTable(), token.NewKeySet()
	s.uses = &usage.Recorder{
		Sources: map[usage.Kind]usage.Source{usage.APIKeys: s.directory.Uses, usage.Tokens: s.table.Uses},
		Store:   s.store, Log: s.log,
	}
	s.owner = &admin.Service{Store: s.store, Uses: s.uses, Now: s.config.Now, NewID: s.config.NewID, MaxProjects: s.config.Limits.Projects}
	if err := s.openReconciler(ctx); err != nil {
		return err
	}
	if err := s.openGateway(); err != nil {
		return err
	}
	s.followers = store.NewFanout(
		s.table,
		store.Hook{OnChange: func(c store.Change) { s.metrics.Revoked(c, s.config.Now()) }},
		store.Directory(s.directory), s.keys, s.metrics, s.reconcile, s.crons, s.triggers,
		store.Hook{OnChange: func(store.Change) { s.gateway.Recheck() }, OnReload: s.gateway.Recheck},
	)
	var follower store.Follower = s.followers
	if s.config.Follow != nil {
		follower = s.config.Follow(follower)
	}
	if err := s.store.Follow(ctx, store.Position{}, follower); err != nil {
		return err
	}
	// Loading a million tokens leaves more garbage than it leaves tokens.
	debug.FreeOSMemory()
	return nil
}

type closer func() error

func (c closer) Close() error { return c() }

// ignoreClosed closes a listener that its server may have closed already.
type ignoreClosed struct{ io.Closer }

func (c ignoreClosed) Close() error {
	if err := c.Closer.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
