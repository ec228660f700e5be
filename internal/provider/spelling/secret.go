package spelling

import (
	"github.com/alexedwards/argon2id"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// What a hash may ask of the machine that verifies it. The service's own hashes
// ask for 64 MiB and one pass (recorded traffic of July 2026); a hash that asks
// for much more is not one of them.
const (
	maxHashMemory      = 256 * 1024 // KiB
	maxHashIterations  = 16
	maxHashParallelism = 16
	maxHashBytes       = 1024
)

// SecretMatches reports whether stored, which is either a secret or its argon2id
// hash, is that of the secret. It does not verify a hash that would cost more
// than any of the service's: such a hash matches nothing.
func SecretMatches(secret, stored string) bool {
	if secret == stored {
		return true
	}
	if !affordable(stored) {
		return false
	}
	match, err := argon2id.ComparePasswordAndHash(secret, stored)
	return err == nil && match
}

// affordable reports whether text is an argon2id hash within the limits above.
// Zero passes or lanes would make the hash function panic.
func affordable(text string) bool {
	if len(text) > maxHashBytes {
		return false
	}
	params, _, key, err := argon2id.DecodeHash(text)
	if err != nil || len(key) == 0 {
		return false
	}
	return params.Memory <= maxHashMemory &&
		params.Iterations >= 1 && params.Iterations <= maxHashIterations &&
		params.Parallelism >= 1 && params.Parallelism <= maxHashParallelism
}

// secretsMatch reports whether the stored map holds exactly the wanted secrets.
func secretsMatch(wanted, stored types.Map) bool {
	if wanted.IsUnknown() || len(wanted.Elements()) != len(stored.Elements()) {
		return false
	}
	for key, value := range wanted.Elements() {
		secret, ok := value.(types.String)
		if !ok || secret.IsUnknown() {
			return false
		}
		prior, ok := stored.Elements()[key].(types.String)
		if !ok || !SecretMatches(secret.ValueString(), prior.ValueString()) {
			return false
		}
	}
	return true
}
