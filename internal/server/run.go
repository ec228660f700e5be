package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run serves until ctx ends. Then the server becomes unready, continues for
// StopDelay, closes its listeners, and waits for calls for StopTimeout at most.
func (s *Server) Run(ctx context.Context) error {
	// Instances and the operators' port outlive the calls that are being ended, as
	// does the recorder of uses.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	ctx, end := context.WithCancel(ctx)
	defer end()
	if s.listeners.ops != nil {
		group.Go(func() error {
			// The server is not monitored without this port.
			defer end()
			return serve(background, s.base, s.http.ops, s.listeners.ops)
		})
	}
	group.Go(func() error { return s.uses.Run(background) })
	group.Go(func() error { return s.console.history.Run(background) })
	if s.listeners.cluster != nil {
		// Other nodes ask this one as soon as it has joined, until it has left.
		group.Go(func() error {
			defer end()
			return serve(background, s.base, s.http.cluster, s.peers.Listener(s.listeners.cluster))
		})
		group.Go(func() error { return s.identity.Run(background) })
	}
	err := s.run(ctx, background, &group)
	s.node.Leave(background)
	stop()
	return errors.Join(err, group.Wait())
}

func (s *Server) run(ctx, background context.Context, backgroundGroup *errgroup.Group) error {
	if err := s.node.Join(ctx); err != nil {
		return unlessEnded(ctx, err)
	}
	backgroundGroup.Go(func() error { return s.node.Run(background) })
	if s.node.Alone() {
		if err := s.restore(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	s.progress.scaling.Store(true)
	backgroundGroup.Go(func() error {
		// The server cannot serve without the scaler.
		defer end()
		defer s.progress.scaling.Store(false)
		return unlessEnded(background, s.scaler.Run(background))
	})
	group, ctx := errgroup.WithContext(ctx)
	serving, stopServing := context.WithCancel(background)
	defer stopServing()
	group.Go(func() error {
		<-ctx.Done()
		s.http.readiness.Stop()
		s.node.Drain(background)
		s.delayStop(ctx)
		stopServing()
		return nil
	})
	group.Go(func() error { return s.pairs.Run(ctx) })
	group.Go(func() error { s.collectBlobs(ctx); return nil })
	group.Go(func() error { s.keyring.watch(ctx); return nil })
	group.Go(func() error { return s.shareAttempts(serving) })
	group.Go(func() error { return s.reconciler.Run(ctx) })
	if !s.node.Alone() {
		// This node is the home of functions since it has joined, so calls must not wait until
		// all are restored.
		group.Go(func() error { return unlessEnded(ctx, s.restore(ctx)) })
	}
	group.Go(func() error { return s.crons.Run(serving) })
	group.Go(func() error { return s.triggers.Run(serving) })
	group.Go(func() error { return serve(serving, s.base, s.http.api, s.apiListeners(s.certificates.api)...) })
	group.Go(func() error {
		return serve(serving, s.base, s.http.gateway, s.gatewayListeners(s.http.certificates)...)
	})
	group.Go(func() error { return serve(serving, s.base, s.http.admin, s.listeners.admin) })
	group.Go(func() error {
		// Calls that other nodes have forwarded end before this node leaves.
		<-serving.Done()
		ending, cancel := context.WithTimeout(background, s.config.StopTimeout)
		defer cancel()
		s.gateway.AwaitForwarded(ending)
		return nil
	})
	return group.Wait()
}

// restore launches the functions of which this node is the home.
func (s *Server) restore(ctx context.Context) error {
	if err := s.reconciler.Restore(ctx); err != nil {
		return fmt.Errorf("restore functions: %w", err)
	}
	s.progress.restored.Store(true)
	return nil
}

// delayStop waits for StopDelay, so that load balancers notice that the server is
// unready before it closes its listeners.
func (s *Server) delayStop(ctx context.Context) {
	if s.config.StopDelay <= 0 {
		return
	}
	s.log.InfoContext(ctx, "stopping", "in", s.config.StopDelay)
	timer := time.NewTimer(s.config.StopDelay)
	defer timer.Stop()
	<-timer.C
}

// unlessEnded returns err, or nil if ctx has ended.
func unlessEnded(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}
