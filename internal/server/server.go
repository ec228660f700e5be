package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/store"
)

// parts are the opened parts of a server.
type parts struct {
	*base
	*observability
	*instances
	*views
	*calls
	*deployments

	certificates *certificateSources
	followers    *store.Fanout
	// gate holds responses back until all nodes show what they say.
	gate func(http.Handler) http.Handler
}

// A Server is one Jeton process, ready to serve.
type Server struct {
	parts

	http *httpServers
	// issued is the API key that this start has created; nil if it has created none.
	issued   *scw.Profile
	progress *progress
	opened   *closers
}

// An Option changes how a server works. Options are for tests and proofs, and no part of
// the configuration.
type Option func(*options)

type options struct {
	wrapFollower func(store.Follower) store.Follower
	unconfirmed  bool
}

// WrapFollower wraps the follower that applies the changes of the store. Proofs delay
// changes with it, to check that the delay would be noticed.
func WrapFollower(wrap func(store.Follower) store.Follower) Option {
	return func(o *options) { o.wrapFollower = wrap }
}

// Unconfirmed makes responses leave before the other nodes have applied what they show.
// Proofs check that this would be noticed.
func Unconfirmed() Option { return func(o *options) { o.unconfirmed = true } }

func newOptions(opts []Option) options {
	var o options
	for _, set := range opts {
		set(&o)
	}
	return o
}

// Open opens the data folder and everything in it, and listens. It sends no
// responses until Run. Returns ErrInUse if another server uses the data folder.
// After an error, everything that was opened is closed.
func Open(ctx context.Context, config Config, log *slog.Logger, opts ...Option) (_ *Server, err error) {
	o := newOptions(opts)
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
	issued, err := bootstrap(ctx, base)
	if err != nil {
		return nil, err
	}
	observability, err := openObservability(ctx, base, opened)
	if err != nil {
		return nil, err
	}
	all, err := openParts(ctx, base, observability, opened, o)
	if err != nil {
		return nil, err
	}
	progress := new(progress)
	servers, err := newHTTPServers(all, newReadiness(base, all.followers, progress))
	if err != nil {
		return nil, err
	}
	observability.metrics.Behind(func() int64 { return max(base.store.Newest()-all.followers.Applied(), 0) })
	if err := announce(base, opened); err != nil {
		return nil, err
	}
	return &Server{parts: all, http: servers, issued: issued, progress: progress, opened: opened}, nil
}

// openParts opens everything that runs, deploys and calls functions, and makes the views
// follow the store.
func openParts(ctx context.Context, base *base, observability *observability, opened *closers, o options) (parts, error) {
	instances, err := openInstances(ctx, base, observability, opened)
	if err != nil {
		return parts{}, err
	}
	if err := observability.openHistory(base, instances); err != nil {
		return parts{}, err
	}
	views, err := newViews(base)
	if err != nil {
		return parts{}, err
	}
	certificates, err := openCertificates(ctx, base, views, opened)
	if err != nil {
		return parts{}, err
	}
	calls, err := newCalls(base, observability, instances, views)
	if err != nil {
		return parts{}, err
	}
	deployments, err := openDeployments(base, observability, instances, certificates, calls)
	if err != nil {
		return parts{}, err
	}
	followers, err := follow(ctx, base, observability, views, calls, deployments, o.wrapFollower)
	if err != nil {
		return parts{}, err
	}
	gate := base.node.Gate
	if o.unconfirmed {
		gate = func(next http.Handler) http.Handler { return next }
	}
	return parts{
		base: base, observability: observability, instances: instances, views: views, calls: calls, deployments: deployments,
		certificates: certificates, followers: followers, gate: gate,
	}, nil
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
