package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/jeton-dev/jeton/internal/provider/lenient"
)

// NewServer returns a constructor of the provider's servers, which apply the rules of
// package lenient to what New makes.
func NewServer(options Options) func() tfprotov6.ProviderServer {
	create := New(options)
	return func() tfprotov6.ProviderServer { return lenient.Server(providerserver.NewProtocol6(create())()) }
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
