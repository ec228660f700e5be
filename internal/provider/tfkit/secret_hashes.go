package tfkit

import (
	"context"

	"github.com/alexedwards/argon2id"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// hashedKey is the key of a *bool in the context of an apply: whether its result has
// hashes where its plan has secrets.
type hashedKey struct{}

// RecordHashing returns a context for an apply, and a function that reports whether
// hashSecrets put a hash in place of a planned secret.
func RecordHashing(ctx context.Context) (context.Context, func() bool) {
	hashed := new(bool)
	return context.WithValue(ctx, hashedKey{}, hashed), func() bool { return *hashed }
}

// HashSecrets returns what the state is to hold of planned secrets: the hashes that
// the service shows. A secret of which it shows none is hashed here.
func HashSecrets(ctx context.Context, planned types.Map, current []*sdk.SecretHashedValue, diags *diag.Diagnostics) types.Map {
	hashed, ok := ctx.Value(hashedKey{}).(*bool)
	if !ok || planned.IsUnknown() || len(planned.Elements()) == 0 {
		return planned
	}
	shown, kept := MapStrings(SecretHashes(current)), map[string]string{}
	for key, value := range MapStrings(planned) {
		hash := shown[key]
		if hash == "" {
			var err error
			if hash, err = argon2id.CreateHash(value, hashParameters); err != nil {
				diags.AddAttributeError(path.Root("secret_environment_variables"), "Cannot hash a secret", Sentence(err))
				return types.MapNull(types.StringType)
			}
		}
		kept[key] = hash
	}
	result := MapValue(kept)
	*hashed = *hashed || !result.Equal(planned)
	return result
}

// hashParameters are those of the service's hashes, from recorded traffic of July
// 2026. Memory is in KiB.
var hashParameters = &argon2id.Params{Memory: 64 << 10, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}
