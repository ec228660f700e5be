package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/jeton-dev/jeton/internal/provider/lenient"
	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// NewServer returns a constructor of the provider's servers, which apply the rules of
// package lenient to what New makes.
func NewServer(options Options) func() tfprotov6.ProviderServer {
	create := New(options)
	return func() tfprotov6.ProviderServer {
		return lenient.Server(server{providerserver.NewProtocol6(create())()})
	}
}

// Serve serves the provider to Terraform until that ends it. With debug set, it
// prints how to attach Terraform to this process.
func Serve(options Options, debug bool) error {
	var served []tf6server.ServeOpt
	if debug {
		served = append(served, tf6server.WithManagedDebug())
	}
	return tf6server.Serve("registry.terraform.io/jeton-dev/scaleway", NewServer(options), served...)
}

// server is the framework's server, except that secrets that were planned in clear
// come to the state as hashes. Terraform accepts a result that differs from the plan
// only from providers that declare the type system of terraform-plugin-sdk/v2, as
// the official provider does; see ADR 16.
type server struct{ tfprotov6.ProviderServer }

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	ctx, hashed := tfkit.RecordHashing(ctx)
	resp, err := s.ProviderServer.ApplyResourceChange(ctx, req)
	if resp != nil && hashed() {
		//nolint:staticcheck // Nothing else lets a state hold less than a plan.
		resp.UnsafeToUseLegacyTypeSystem = true
	}
	return resp, err
}
