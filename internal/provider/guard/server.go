package guard

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// Config describes the server that states must belong to.
type Config struct {
	// ID identifies the server. It is required.
	ID string
	// URL is the address of the server, for messages.
	URL string
	// Adopt allows states of other servers. Their resources get the mark of this one.
	Adopt bool
}

// Server returns a provider server that passes requests on to inner if the state belongs to the
// configured server.
func Server(inner tfprotov6.ProviderServer, c Config) tfprotov6.ProviderServer {
	return &server{ProviderServer: inner, config: c}
}

type server struct {
	tfprotov6.ProviderServer
	config Config
}

// ReadResource implements tfprotov6.ResourceServer.
func (s *server) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if refused := s.otherMark(req.TypeName, req.Private); refused != nil {
		return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, Private: req.Private, Diagnostics: refused}, nil
	}
	resp, err := s.ProviderServer.ReadResource(ctx, req)
	if err != nil || failed(resp.Diagnostics) {
		return resp, err
	}
	if exists(req.CurrentState) && !exists(resp.NewState) && mark(req.Private) == "" && !s.config.Adopt {
		resp.NewState, resp.Private = req.CurrentState, req.Private
		resp.Diagnostics = append(resp.Diagnostics, s.unknown(req.TypeName))
		return resp, nil
	}
	if exists(resp.NewState) {
		resp.Private, err = marked(resp.Private, s.config.ID)
	}
	return resp, err
}

// PlanResourceChange implements tfprotov6.ResourceServer.
func (s *server) PlanResourceChange(ctx context.Context, req *tfprotov6.PlanResourceChangeRequest) (*tfprotov6.PlanResourceChangeResponse, error) {
	refused, err := s.refuse(ctx, req.TypeName, req.PriorState, req.PriorPrivate)
	if err != nil || refused != nil {
		return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.PriorState, PlannedPrivate: req.PriorPrivate, Diagnostics: refused}, err
	}
	resp, err := s.ProviderServer.PlanResourceChange(ctx, req)
	if err != nil || failed(resp.Diagnostics) || !exists(req.PriorState) {
		return resp, err
	}
	resp.PlannedPrivate, err = marked(resp.PlannedPrivate, s.config.ID)
	return resp, err
}

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s *server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	// A saved plan may have been made against another server.
	refused, err := s.refuse(ctx, req.TypeName, req.PriorState, req.PlannedPrivate)
	if err != nil || refused != nil {
		return &tfprotov6.ApplyResourceChangeResponse{NewState: req.PriorState, Private: req.PlannedPrivate, Diagnostics: refused}, err
	}
	resp, err := s.ProviderServer.ApplyResourceChange(ctx, req)
	if err == nil && exists(resp.NewState) {
		resp.Private, err = marked(resp.Private, s.config.ID)
	}
	return resp, err
}

// ImportResourceState implements tfprotov6.ResourceServer.
func (s *server) ImportResourceState(ctx context.Context, req *tfprotov6.ImportResourceStateRequest) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := s.ProviderServer.ImportResourceState(ctx, req)
	if err != nil {
		return resp, err
	}
	for _, imported := range resp.ImportedResources {
		if imported.Private, err = marked(imported.Private, s.config.ID); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// refuse returns diagnostics if a state belongs to another server. A state without a mark is
// read: with -refresh=false nothing else has read it.
func (s *server) refuse(ctx context.Context, typeName string, state *tfprotov6.DynamicValue, private []byte) ([]*tfprotov6.Diagnostic, error) {
	if s.config.Adopt || !exists(state) {
		return nil, nil
	}
	if mark(private) != "" {
		return s.otherMark(typeName, private), nil
	}
	read, err := s.ProviderServer.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: typeName, CurrentState: state})
	switch {
	case err != nil:
		return nil, err
	case failed(read.Diagnostics):
		return read.Diagnostics, nil
	case !exists(read.NewState):
		return []*tfprotov6.Diagnostic{s.unknown(typeName)}, nil
	}
	return nil, nil
}

const whatToDo = "\n\nTo use this configuration here beside the other server, keep a state of its own: " +
	"terraform workspace new jeton, or -state=jeton.tfstate. To give up the objects of the other server and create them here, run: jeton tf --adopt ..."

// otherMark returns a diagnostic if private data has the mark of another server.
func (s *server) otherMark(typeName string, private []byte) []*tfprotov6.Diagnostic {
	id := mark(private)
	if id == "" || id == s.config.ID || s.config.Adopt {
		return nil
	}
	return []*tfprotov6.Diagnostic{{
		Severity: tfprotov6.DiagnosticSeverityError,
		Summary:  "State of another server",
		Detail: fmt.Sprintf("This %s is an object of the server %s. jeton tf uses the server %s at %s.",
			typeName, id, s.config.ID, s.config.URL) + whatToDo,
	}}
}

// unknown returns the diagnostic for an object without a mark that does not exist.
func (s *server) unknown(typeName string) *tfprotov6.Diagnostic {
	return &tfprotov6.Diagnostic{
		Severity: tfprotov6.DiagnosticSeverityError,
		Summary:  "State of another server",
		Detail: fmt.Sprintf("This %s does not exist on the server %s at %s, and jeton tf has not written its state: "+
			"the state may belong to another server, such as Scaleway.", typeName, s.config.ID, s.config.URL) + whatToDo,
	}
}

// exists reports whether a state is not null.
func exists(state *tfprotov6.DynamicValue) bool {
	if state == nil {
		return false
	}
	null, err := state.IsNull()
	return err == nil && !null
}

func failed(diagnostics []*tfprotov6.Diagnostic) bool {
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return true
		}
	}
	return false
}
