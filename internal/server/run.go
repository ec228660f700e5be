package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/gateway"
)

// Run serves until ctx ends. Then it is no longer ready, goes on for
// StopDelay, takes no new connections, and lets calls end for StopTimeout.
func (s *Server) Run(ctx context.Context) error {
	// Instances, and the operators' port, must outlive the calls that are being
	// ended.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var behind errgroup.Group
	if s.listeners.ops != nil {
		behind.Go(func() error { return s.serve(background, s.opsServer(), s.listeners.ops) })
	}
	// The calls that are being ended are uses, too.
	behind.Go(func() error { return s.uses.Run(background) })
	err := s.run(ctx, background, &behind)
	stop()
	return errors.Join(err, behind.Wait())
}

func (s *Server) run(ctx, background context.Context, behind *errgroup.Group) error {
	if err := s.reconcile.Restore(ctx); err != nil {
		return unlessEnded(ctx, fmt.Errorf("restore functions: %w", err))
	}
	s.restored.Store(true)
	ctx, end := context.WithCancel(ctx)
	defer end()
	s.scaling.Store(true)
	behind.Go(func() error {
		// Without instances there is nothing to serve with.
		defer end()
		defer s.scaling.Store(false)
		return unlessEnded(background, s.scaler.Run(background))
	})
	group, ctx := errgroup.WithContext(ctx)
	serving, stopServing := context.WithCancel(background)
	defer stopServing()
	group.Go(func() error {
		<-ctx.Done()
		s.readiness.Stop()
		s.linger(ctx)
		stopServing()
		return nil
	})
	group.Go(func() error { return s.pairs.Run(ctx) })
	group.Go(func() error { return s.reconcile.Run(ctx) })
	group.Go(func() error { return s.crons.Run(serving) })
	group.Go(func() error { return s.triggers.Run(serving) })
	group.Go(func() error { return s.serve(serving, s.apiServer(), s.inboundAPI()) })
	group.Go(func() error { return s.serve(serving, s.gatewayServer(), s.inbound()...) })
	group.Go(func() error { return s.serve(serving, s.adminServer(), s.listeners.admin) })
	return group.Wait()
}

// linger goes on serving for StopDelay, so that who sends calls here finds
// out first that the server is no longer ready.
func (s *Server) linger(ctx context.Context) {
	if s.config.StopDelay <= 0 {
		return
	}
	s.log.InfoContext(ctx, "stopping", "in", s.config.StopDelay)
	timer := time.NewTimer(s.config.StopDelay)
	defer timer.Stop()
	<-timer.C
}

// unlessEnded is the error with which something ended by itself, and nil where
// it was told to.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// serve answers requests at listeners until ctx ends. Then it closes them, and
// lets the requests end that are under way.
func (s *Server) serve(ctx context.Context, server *http.Server, listeners ...net.Listener) error {
	// Connections that have left HTTP are not waited for, and end at last.
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	server.BaseContext = func(net.Listener) context.Context { return requests }
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	select {
	case err := <-ended:
		return errors.Join(err, server.Close())
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
	// maxStreams is how many calls one connection of HTTP/2 can have at a time.
	maxStreams = 64
	// requestTimeout bounds a request to the API, an upload included.
	requestTimeout = 10 * time.Minute
)

func (s *Server) apiServer() *http.Server {
	stopping := make(chan struct{})
	server := &http.Server{
		Handler:        gateway.PaceBodies(s.apiHandler(stopping), s.config.Traffic.MinBodyRate),
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
		ConnContext: gateway.ConnContext, ConnState: gateway.ConnState,
	}
	server.RegisterOnShutdown(sync.OnceFunc(func() { close(stopping) }))
	return server
}

// gatewayServer leaves the length of a call to the function's own timeout.
func (s *Server) gatewayServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	handler := s.gateway.Handler()
	if s.acme != nil {
		handler = s.acme.Challenges(handler)
	}
	return &http.Server{
		Handler:        handler,
		MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, Protocols: protocols,
		ConnContext: gateway.ConnContext, ConnState: gateway.ConnState,
		// Each stream can have a head of maxHeader before the gateway sees it.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
}
