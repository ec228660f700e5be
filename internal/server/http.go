package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/admin"
	"github.com/jeton-dev/jeton/internal/audit"
	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/foreign"
	"github.com/jeton-dev/jeton/internal/functions"
	"github.com/jeton-dev/jeton/internal/gateway"
	"github.com/jeton-dev/jeton/internal/ops"
	"github.com/jeton-dev/jeton/internal/store/postgres"
)

// The limits of a connection. The maximum header is that of Scaleway's
// documentation.
const (
	maxHeader     = 1 << 20
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// maxStreams is the maximum number of concurrent calls of an HTTP/2 connection.
	maxStreams = 64
	// requestTimeout limits a request to the API, including uploads.
	requestTimeout = 10 * time.Minute
	// scrapeTimeout permits the longest common profile.
	scrapeTimeout = 2 * time.Minute
)

// httpServers are the servers of all ports.
type httpServers struct {
	api, gateway, admin, ops *http.Server
	// cluster is nil if no other process can use the database.
	cluster *http.Server
	// certificates is nil without a TLS port.
	certificates certificates
	readiness    *ops.Readiness
}

func newHTTPServers(p parts, readiness *ops.Readiness) (*httpServers, error) {
	projects, err := admin.NewService(admin.Config{
		Store: p.store, Uses: p.uses, Now: p.config.Now, NewID: p.config.NewID, MaxProjects: p.config.Limits.Projects,
	})
	if err != nil {
		return nil, err
	}
	service, err := p.newService()
	if err != nil {
		return nil, err
	}
	reservations := p.newReservations()
	importer, err := admin.NewImporter(admin.ImporterConfig{Service: projects, Functions: service, Archives: p.archives, Reservations: reservations, CheckKey: foreign.CheckKey})
	if err != nil {
		return nil, err
	}
	nodes, err := admin.NewNodes(p.store, p.node)
	if err != nil {
		return nil, err
	}
	apiServer, err := newAPIServer(p, service, projects, reservations)
	if err != nil {
		return nil, err
	}
	opsServer, err := newOpsServer(p, readiness)
	if err != nil {
		return nil, err
	}
	servers := &httpServers{
		api: apiServer, gateway: newGatewayServer(p.gateway, p.certificates),
		admin: newAdminServer(p, projects, importer, nodes), ops: opsServer,
		certificates: p.certificates.hosts, readiness: readiness,
	}
	if p.peers != nil {
		servers.cluster = p.peers.Server()
	}
	return servers, nil
}

// newReservations returns the uploads in progress: those of all nodes, or of this server.
func (p parts) newReservations() *blob.Reservations {
	if shared, ok := p.store.(*postgres.Store); ok {
		return &blob.Reservations{Shared: shared.Reservations(p.node.Incarnation)}
	}
	return new(blob.Reservations)
}

func newAPIServer(p parts, service *functions.Service, projects *admin.Service, reservations *blob.Reservations) (*http.Server, error) {
	stopping := make(chan struct{})
	handler, err := p.apiHandler(service, projects, reservations, stopping)
	if err != nil {
		return nil, err
	}
	if handler, err = p.withConsole(handler); err != nil {
		return nil, err
	}
	server := &http.Server{
		Handler:        gateway.WithTLS(gateway.PaceBodies(handler, p.config.Traffic.MinBodyRate)),
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		ConnContext: gateway.ConnContext, ConnState: gateway.ConnState,
	}
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))
	return server, nil
}

// newGatewayServer has no timeout for calls: each function has its own.
func newGatewayServer(g *gateway.Gateway, certificates *certificateSources) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	handler := g.Handler()
	if certificates.acme != nil {
		handler = certificates.acme.Challenges(handler)
	}
	return &http.Server{
		Handler:        handler,
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Protocols: protocols,
		ConnContext: gateway.ConnContext, ConnState: gateway.ConnState,
		// Each stream can have headers of maxHeader before the gateway reads them.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
}

// newAdminServer also answers requests about the cluster while the node has no lease.
func newAdminServer(p parts, projects *admin.Service, importer *admin.Importer, nodes *admin.Nodes) *http.Server {
	operations, stopping := []map[string]admin.Operation{importer.Operations(), nodes.Operations(), p.resealOperation()}, make(chan struct{})
	if shared, ok := p.store.(*postgres.Store); ok {
		operations = append(operations, audit.Reader{Rows: shared, Stopping: stopping}.Operations())
	}
	handler := projects.Handler(p.log, p.auditor.Admin, operations...)
	all := http.NewServeMux()
	all.Handle("/", p.gate(handler))
	all.Handle("/cluster", handler)
	all.Handle("/cluster/", handler)
	server := &http.Server{
		Handler:           all,
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ReadTimeout: headerTimeout, WriteTimeout: requestTimeout,
	}
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))
	return server
}

func newOpsServer(p parts, readiness *ops.Readiness) (*http.Server, error) {
	handler, err := ops.NewHandler(ops.Config{Readiness: readiness, Metrics: p.metrics.Handler(), Pprof: p.config.OpsPprof})
	if err != nil {
		return nil, err
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ReadTimeout: headerTimeout, WriteTimeout: scrapeTimeout,
	}, nil
}

// serve answers requests until ctx ends. Then it closes the listeners, and waits for
// requests at most for the stop timeout.
func serve(ctx context.Context, b *base, server *http.Server, listeners ...net.Listener) error {
	// Upgraded connections are not awaited: this context ends them at last.
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	server.ErrorLog = slog.NewLogLogger(b.log.Handler(), slog.LevelDebug)
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.config.StopTimeout)
	defer cancel()
	if err := server.Shutdown(ending); err != nil {
		b.log.Warn("calls were interrupted", "error", err)
		return server.Close()
	}
	return nil
}
