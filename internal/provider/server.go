package provider

import (
	"context"

	"github.com/alexedwards/argon2id"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/lenient"
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

// hashedKey is the key of a *bool in the context of an apply: whether its result has
// hashes where its plan has secrets.
type hashedKey struct{}

// ApplyResourceChange implements tfprotov6.ResourceServer.
func (s server) ApplyResourceChange(ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest) (*tfprotov6.ApplyResourceChangeResponse, error) {
	var hashed bool
	resp, err := s.ProviderServer.ApplyResourceChange(context.WithValue(ctx, hashedKey{}, &hashed), req)
	if resp != nil && hashed {
		//nolint:staticcheck // Nothing else lets a state hold less than a plan.
		resp.UnsafeToUseLegacyTypeSystem = true
	}
	return resp, err
}

// hashSecrets returns what the state is to hold of planned secrets: the hashes that
// the service shows. A secret of which it shows none is hashed here.
func hashSecrets(ctx context.Context, planned types.Map, current []*function.SecretHashedValue, diags *diag.Diagnostics) types.Map {
	hashed, ok := ctx.Value(hashedKey{}).(*bool)
	if !ok || planned.IsUnknown() || len(planned.Elements()) == 0 {
		return planned
	}
	shown, kept := texts(hashes(current)), map[string]string{}
	for key, value := range texts(planned) {
		hash := shown[key]
		if hash == "" {
			var err error
			if hash, err = argon2id.CreateHash(value, hashParameters); err != nil {
				diags.AddAttributeError(path.Root("secret_environment_variables"), "Cannot hash a secret", sentence(err))
				return types.MapNull(types.StringType)
			}
		}
		kept[key] = hash
	}
	result := textMap(kept)
	*hashed = *hashed || !result.Equal(planned)
	return result
}

// hashParameters are those of the service's hashes, from recorded traffic of July
// 2026. Memory is in KiB.
var hashParameters = &argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}
