package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// session is one connection of Terraform with the providers that serve it.
type session struct {
	relay *relay

	mu     sync.Mutex
	closed bool
	own    *process
	rest   *process
	// configuration is the request that configured the providers.
	configuration []byte
	// refused are the diagnostics with which Jeton's provider has refused the provider block.
	// They are reported when a type of it is used.
	refused [][]byte
	// restConfigured reports whether the other provider was configured; restRefused are its errors.
	restConfigured bool
	restRefused    [][]byte
}

// errClosed means that Terraform has closed the connection.
var errClosed = errors.New("the connection is closed")

// serve answers one call.
func (s *session) serve(stream grpc.ServerStream) error {
	full, ok := grpc.MethodFromServerStream(stream)
	if !ok {
		return status.Error(codes.Internal, "the call has no name")
	}
	var request frame
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	ctx, name := stream.Context(), path.Base(full)
	answer := func(response []byte, err error) error {
		if err != nil {
			return err
		}
		return stream.SendMsg(&frame{response})
	}
	switch name {
	case callMetadata, callFunctions:
		// Terraform requests the schemas instead.
		return status.Error(codes.Unimplemented, "use "+callSchema)
	case callSchema:
		all, err := s.schemas(ctx)
		if err != nil {
			return err
		}
		return answer(all.response, nil)
	case callIdentities:
		return answer(s.identities(ctx, request.bytes))
	case callConfigure:
		return answer(s.configure(ctx, request.bytes))
	case callStop:
		return answer(s.stopCalls(ctx, request.bytes))
	}
	return s.route(name, request.bytes, stream)
}

// ownProcess returns Jeton's provider.
func (s *session) ownProcess() (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.own == nil {
		var err error
		if s.own, err = start(s.relay.own, s.relay.logs); err != nil {
			return nil, err
		}
	}
	return s.own, nil
}

// restProcess returns the other provider.
func (s *session) restProcess(ctx context.Context) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	if s.rest != nil {
		return s.rest, nil
	}
	started, err := start(s.relay.rest, s.relay.logs)
	if err != nil {
		return nil, err
	}
	s.rest = started
	if all := s.relay.known(); all != nil && !all.rest.optional {
		_, err = started.call(ctx, callSchema, nil)
	}
	return started, err
}

// schemas returns the merged schemas.
func (s *session) schemas(ctx context.Context) (*schemas, error) {
	if all := s.relay.known(); all != nil {
		return all, nil
	}
	own, err := s.ownProcess()
	if err != nil {
		return nil, err
	}
	ours, err := own.call(ctx, callSchema, nil)
	if err != nil {
		return nil, err
	}
	var others []byte
	if s.relay.rest.Path != "" {
		rest, err := s.restProcess(ctx)
		if err != nil {
			return nil, err
		}
		if others, err = rest.call(ctx, callSchema, nil); err != nil {
			return nil, err
		}
	}
	all, err := merge(ours, others)
	if err != nil {
		return nil, err
	}
	s.relay.learn(all)
	return all, nil
}

// identities merges the schemas of identities.
func (s *session) identities(ctx context.Context, request []byte) ([]byte, error) {
	own, err := s.ownProcess()
	if err != nil {
		return nil, err
	}
	response, err := own.call(ctx, callIdentities, request)
	if err != nil || s.relay.rest.Path == "" {
		return response, err
	}
	rest, err := s.restProcess(ctx)
	if err != nil {
		return nil, err
	}
	others, err := rest.call(ctx, callIdentities, request)
	if status.Code(err) == codes.Unimplemented {
		return response, nil
	}
	// Equal names do not occur: Jeton's provider has no identities unless enabled.
	return append(response, others...), err
}

// configure configures Jeton's provider. If it refuses the block and another provider exists,
// the block may belong to that one: the refusal is kept until a type of Jeton is used.
func (s *session) configure(ctx context.Context, request []byte) ([]byte, error) {
	own, err := s.ownProcess()
	if err != nil {
		return nil, err
	}
	response, err := own.call(ctx, callConfigure, request)
	if err != nil {
		return nil, err
	}
	found, failed, err := diagnostics(response, 1)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configuration, s.refused = request, nil
	s.restConfigured, s.restRefused = false, nil
	if failed && s.relay.rest.Path != "" {
		s.refused = found
		return nil, nil
	}
	return response, nil
}

// configureRest configures the other provider once and returns its errors.
func (s *session) configureRest(ctx context.Context, rest *process, all *schemas) ([][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.restConfigured {
		return s.restRefused, nil
	}
	request, err := restConfiguration(s.configuration, all.rest.settings, len(s.refused) == 0)
	if err != nil {
		return nil, err
	}
	response, err := rest.call(ctx, callConfigure, request)
	if err != nil {
		return nil, fmt.Errorf("configure the official provider: %w", err)
	}
	found, failed, err := diagnostics(response, 1)
	if err != nil {
		return nil, err
	}
	s.restConfigured = true
	if failed {
		s.restRefused = found
	}
	return s.restRefused, nil
}

// stopCalls passes on that running calls must stop.
func (s *session) stopCalls(ctx context.Context, request []byte) ([]byte, error) {
	s.mu.Lock()
	own, rest := s.own, s.rest
	s.mu.Unlock()
	if rest != nil {
		if _, err := rest.call(ctx, callStop, request); err != nil {
			return nil, err
		}
	}
	if own == nil {
		return nil, nil
	}
	return own.call(ctx, callStop, request)
}

// route passes a call on to the provider that serves the named type.
func (s *session) route(name string, request []byte, stream grpc.ServerStream) error {
	m, routed := methods[name]
	all, err := s.schemas(stream.Context())
	if err != nil {
		return err
	}
	typeName, err := m.typeName(request)
	if err != nil {
		return err
	}
	if !routed || s.relay.rest.Path == "" || all.own[m.of][typeName] {
		own, err := s.ownProcess()
		if err != nil {
			return err
		}
		if refused := s.refusal(); m.configured && refused != nil {
			return stream.SendMsg(&frame{renumber(refused, m.diagnostics)})
		}
		return own.forward(name, request, stream)
	}
	return s.passOn(name, m, request, all, stream)
}

func (s *session) refusal() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// passOn sends a call to the other provider.
func (s *session) passOn(name string, m method, request []byte, all *schemas, stream grpc.ServerStream) error {
	rest, err := s.restProcess(stream.Context())
	if err != nil {
		return err
	}
	if m.configured {
		refused, err := s.configureRest(stream.Context(), rest, all)
		if err != nil {
			return err
		}
		if refused != nil {
			return stream.SendMsg(&frame{renumber(refused, m.diagnostics)})
		}
	}
	if name == "PlanResourceChange" && !all.rest.plansDestroy {
		if response := plannedDeletion(request); response != nil {
			return stream.SendMsg(&frame{response})
		}
	}
	return rest.forward(name, request, stream)
}

// plannedDeletion returns the response to a request that plans a deletion, for providers that
// do not expect it; nil for other requests.
func plannedDeletion(request []byte) []byte {
	const proposedState, priorPrivate, plannedState, plannedPrivate = 3, 5, 1, 3
	null := []byte{0xc0}
	proposed, err := content(request, proposedState)
	if err != nil {
		return nil
	}
	if value, err := content(proposed, valueMsgpack); err != nil || !bytes.Equal(value, null) {
		return nil
	}
	private, err := content(request, priorPrivate)
	if err != nil {
		return nil
	}
	return with(with(nil, plannedState, proposed), plannedPrivate, private)
}

// close ends the providers of the connection.
func (s *session) close() {
	s.mu.Lock()
	own, rest := s.own, s.rest
	s.closed, s.own, s.rest = true, nil, nil
	s.mu.Unlock()
	own.stop()
	rest.stop()
}
