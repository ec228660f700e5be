package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"

	"github.com/scaleway/scaleway-sdk-go/scw"
)

// A Server is one Jeton process, ready to serve.
type Server struct {
	*base
	*observability
	*blobs
	*instances
	*views
	*calls
	*deployments

	http *httpServers
	// issued is the API key that this start has created; nil if it has created none.
	issued   *scw.Profile
	progress *progress
	opened   *closers
}

// Open opens the data folder and everything in it, and listens. It sends no
// responses until Run. Returns ErrInUse if another server uses the data folder.
// After an error, everything that was opened is closed.
func Open(ctx context.Context, config Config, log *slog.Logger) (_ *Server, err error) {
	opened := new(closers)
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
		}
	}()
	base, err := openBase(ctx, config, log, opened)
	if err != nil {
		return nil, err
	}
	blobs, err := openBlobs(ctx, base, opened)
	if err != nil {
		return nil, err
	}
	issued, err := bootstrap(ctx, base)
	if err != nil {
		return nil, err
	}
	observability, err := openObservability(ctx, base, opened)
	if err != nil {
		return nil, err
	}
	instances, err := openInstances(ctx, base, blobs, observability, opened)
	if err != nil {
		return nil, err
	}
	views, err := newViews(base)
	if err != nil {
		return nil, err
	}
	certificates, err := openCertificates(base, views, opened)
	if err != nil {
		return nil, err
	}
	calls, err := newCalls(base, observability, instances, views)
	if err != nil {
		return nil, err
	}
	deployments, err := openDeployments(base, blobs, observability, instances, certificates, calls)
	if err != nil {
		return nil, err
	}
	followers, err := follow(ctx, base, observability, views, calls, deployments)
	if err != nil {
		return nil, err
	}
	progress := new(progress)
	s := &Server{
		base: base, observability: observability, blobs: blobs, instances: instances, views: views, calls: calls, deployments: deployments,
		issued: issued, progress: progress, opened: opened,
	}
	if s.http, err = newHTTPServers(s, certificates, newReadiness(base, followers, progress)); err != nil {
		return nil, err
	}
	observability.metrics.Behind(func() int64 { return max(base.store.Newest()-followers.Applied(), 0) })
	return s, announce(base, opened)
}

// Endpoints returns the addresses of the server.
func (s *Server) Endpoints() Endpoints { return s.listeners.endpoints }

// Issued returns the credentials that this start has created, including the secret
// key. Returns nil if an earlier start created them.
func (s *Server) Issued() *scw.Profile { return s.issued }

// Close releases everything that Open has opened. Run must have returned.
func (s *Server) Close() error { return s.opened.Close() }

// closers closes what was opened, in reverse order.
type closers struct{ opened []io.Closer }

func (c *closers) add(opened io.Closer) { c.opened = append(c.opened, opened) }

func (c *closers) addFunc(closeIt func() error) { c.add(closeFunc(closeIt)) }

// Close closes everything once. The error joins all errors.
func (c *closers) Close() error {
	var err error
	for _, opened := range slices.Backward(c.opened) {
		err = errors.Join(err, opened.Close())
	}
	c.opened = nil
	return err
}

type closeFunc func() error

func (c closeFunc) Close() error { return c() }
