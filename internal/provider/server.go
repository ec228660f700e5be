package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/jeton-dev/jeton/internal/provider/guard"
	"github.com/jeton-dev/jeton/internal/provider/lenient"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// NewServer returns a constructor of servers of the provider. They apply the rules of
// package lenient, and those of package guard if the provider is attached to a server.
func NewServer(options Options) func() tfprotov6.ProviderServer {
	create := New(options)
	return func() tfprotov6.ProviderServer {
		s := lenient.Server(server{providerserver.NewProtocol6(create())()})
		if a := options.Attachment; a != nil {
			return guard.Server(s, guard.Config{ID: a.ServerID, URL: a.URL, Adopt: a.Adopt})
		}
		return s
	}
}

// Serve serves the provider until Terraform ends the process. If debug is set, it prints
// how to attach Terraform to this process.
func Serve(options Options, debug bool) error {
	var serveOptions []tf6server.ServeOpt
	if debug {
		serveOptions = append(serveOptions, tf6server.WithManagedDebug())
	}
	return tf6server.Serve("registry.terraform.io/jeton-dev/scaleway", NewServer(options), serveOptions...)
}

// server lets an apply return hashes of planned secrets. Terraform accepts a result that
// differs from the plan only with the flag for the type system of
// terraform-plugin-sdk/v2, which the official provider sets; see ADR 16.
type server struct{ tfprotov6.ProviderServer }

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	ctx, hashed := tfkit.RecordHashing(ctx)
	resp, err := s.ProviderServer.ApplyResourceChange(ctx, req)
	if resp != nil && hashed() {
		//nolint:staticcheck // There is no other way to return a result that differs from the plan.
		resp.UnsafeToUseLegacyTypeSystem = true
	}
	return resp, err
}
