package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/scaleway/scaleway-sdk-go/scw"
	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/iam"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/scale"
	"github.com/jeton-dev/jeton/internal/secret"
	"github.com/jeton-dev/jeton/internal/store/sqlite"
	"github.com/jeton-dev/jeton/internal/token"
)

// ErrInUse is returned where another server uses the data folder.
var ErrInUse = errors.New("another jeton serves from this data folder: stop it, or choose another folder with --data-dir")

// Endpoints are where a server is reached. They stand in a file of the data
// folder while it runs.
type Endpoints struct {
	API     string `json:"api"`
	Gateway string `json:"gateway"`
}

// EndpointsFile is the name of that file.
const EndpointsFile = "endpoints.json"

// Server is a running Jeton.
type Server struct {
	config    Config
	log       *slog.Logger
	lock      *flock.Flock
	box       *secret.Box
	urlKey    []byte
	store     *sqlite.Store
	directory *iam.Directory
	table     *gateway.Table
	pairs     *token.Pool
	engine    *process.Engine
	scaler    *scale.Scaler
	reconcile *reconcile.Reconciler
	listeners struct{ api, gateway net.Listener }
	endpoints Endpoints
	// opened are closed in reverse order.
	opened []io.Closer
	// issued is the API key of the first start.
	issued *scw.Profile
}

// Open makes everything ready to serve: it takes the data folder, opens what
// is in it, and listens. Calls wait until Run.
func Open(ctx context.Context, config Config, log *slog.Logger) (_ *Server, err error) {
	s := &Server{config: config, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for _, open := range []func(context.Context) error{
		s.takeFolder, s.openStore, s.listen, s.introduce, s.openEngine, s.follow, s.announce,
	} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
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
	for _, folder := range []*string{&s.config.DataDir, &s.config.CacheDir} {
		if *folder, err = filepath.Abs(*folder); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	if err := os.MkdirAll(s.config.DataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.lock = flock.New(s.path("lock"))
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

func (s *Server) openStore(ctx context.Context) error {
	key, err := secret.LoadKey(s.path("secret.key"))
	if err != nil {
		return fmt.Errorf("key of the sealed values: %w", err)
	}
	if s.box, err = secret.NewBox(key); err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("signed addresses"))
	s.urlKey = mac.Sum(nil)
	if s.store, err = sqlite.Open(ctx, s.path("jeton.db"), s.config.Now); err != nil {
		return err
	}
	s.opens(s.store)
	return nil
}

func (s *Server) listen(ctx context.Context) (err error) {
	var config net.ListenConfig
	if s.listeners.api, err = config.Listen(ctx, "tcp", s.config.APIListen); err != nil {
		return fmt.Errorf("api: %w", err)
	}
	s.opens(ignoreClosed{s.listeners.api})
	if s.listeners.gateway, err = config.Listen(ctx, "tcp", s.config.GatewayListen); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	s.opens(ignoreClosed{s.listeners.gateway})
	s.endpoints = Endpoints{API: address(s.listeners.api), Gateway: address(s.listeners.gateway)}
	return nil
}

// announce writes down where the server is reached. It is the last step: who
// finds the file finds a server that answers.
func (s *Server) announce(context.Context) error {
	encoded, err := json.Marshal(s.endpoints)
	if err != nil {
		return err
	}
	unfinished := s.path(EndpointsFile + ".new")
	if err := os.WriteFile(unfinished, encoded, 0o600); err != nil {
		return err
	}
	s.opens(closer(func() error { return os.Remove(s.path(EndpointsFile)) }))
	return os.Rename(unfinished, s.path(EndpointsFile))
}

// address is how a client on this machine reaches a listener.
func address(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + l.Addr().String()
}

func (s *Server) introduce(ctx context.Context) (err error) {
	if s.issued, err = introduce(ctx, s.store, s.config, s.endpoints.API); err != nil {
		return fmt.Errorf("first project: %w", err)
	}
	if s.issued != nil {
		s.log.Info("made a project and an API key", "credentials", s.config.Credentials)
		return nil
	}
	return readdress(s.config.Credentials, s.endpoints.API)
}

// follow has everything that keeps its own view of the objects follow the
// changes: whoever admits first, so that a revocation never waits for the
// rest.
func (s *Server) follow(ctx context.Context) error {
	s.directory, s.table = iam.NewDirectory(), gateway.NewTable()
	if err := s.openReconciler(ctx); err != nil {
		return err
	}
	apply := func(c change) {
		s.table.Apply(c)
		s.directory.Apply(c.Object, c.Deleted)
		s.reconcile.Apply(c)
	}
	if s.config.Follow != nil {
		apply = s.config.Follow(apply)
	}
	return s.store.Follow(ctx, apply)
}

// Run serves until ctx ends, and then lets calls end for a while.
func (s *Server) Run(ctx context.Context) error {
	if err := s.reconcile.Restore(ctx); err != nil {
		return fmt.Errorf("restore functions: %w", err)
	}
	// Instances must outlive the calls that are being ended.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()

	group, ctx := errgroup.WithContext(ctx)
	var behind errgroup.Group
	behind.Go(func() error { return unlessEnded(background, s.scaler.Run(background)) })
	group.Go(func() error { return s.pairs.Run(ctx) })
	group.Go(func() error { return s.reconcile.Run(ctx) })
	group.Go(func() error { return s.serve(ctx, s.listeners.api, s.apiHandler(), s.apiServer()) })
	group.Go(func() error {
		return s.serve(ctx, s.config.inbound(s.listeners.gateway), s.gatewayHandler(), s.gatewayServer())
	})
	err := group.Wait()
	stop()
	return errors.Join(err, behind.Wait())
}

// unlessEnded is the error with which something ended by itself, and nil where
// it was told to.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// serve answers requests at a listener until ctx ends.
func (s *Server) serve(ctx context.Context, l net.Listener, handler http.Handler, server *http.Server) error {
	server.Handler = handler
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.StopTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		s.log.Warn("calls were cut off", "error", err)
		return server.Close()
	}
	return nil
}

// The bounds of what one connection may ask of the server. The longest header
// is that of Scaleway's documentation.
const (
	maxHeader     = 1 << 20
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// requestTimeout bounds a request to the API, an upload included.
	requestTimeout = 10 * time.Minute
)

func (s *Server) apiServer() *http.Server {
	return &http.Server{
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
	}
}

// gatewayServer leaves the length of a call to the function's own timeout.
func (s *Server) gatewayServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Protocols: protocols,
		ConnContext: gateway.ConnContext,
	}
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
