package kubernetes

import (
	"context"
	"errors"

	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// steps are the steps of a build that wait for the network, one at a time. The goroutine that receives
// frames calls the methods.
type steps struct {
	session *session
	// run is the Download of the build.
	run func(ctx context.Context, step func(context.Context) error) error
	// fetched is closed at the end of the step; nil without one.
	fetched chan struct{}
}

// begin begins a step. The Pod continues when run permits it, and again when run has returned.
func (s *steps) begin(ctx context.Context) error {
	if s.fetched != nil {
		return errors.New("a build fetches twice at once")
	}
	fetched := make(chan struct{})
	s.fetched = fetched
	step := func(ctx context.Context) error {
		if err := s.session.conn.Send(wire.Continue, nil); err != nil {
			return err
		}
		select {
		case <-fetched:
			return nil
		case <-s.session.ended:
			return errors.New("the Pod has ended")
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	go func() {
		run := s.run
		if run == nil {
			run = func(ctx context.Context, step func(context.Context) error) error { return step(ctx) }
		}
		if run(ctx, step) != nil || s.session.conn.Send(wire.Continue, nil) != nil {
			_ = s.session.conn.Close() // The build ends: its context has ended, or its Pod.
		}
	}()
	return nil
}

// end ends a step.
func (s *steps) end() error {
	if s.fetched == nil {
		return errors.New("a build ends a step that has not begun")
	}
	close(s.fetched)
	s.fetched = nil
	return nil
}
