package tfkit

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// Secrets are configured in two maps. The values of secret_environment_variables are
// in plans, and their hashes in states. The values of the write-only map are in
// neither. The service does not return which secret came from which map, so the names
// of the write-only ones are stored in the private state of the resource.

// PrivateState is the private state of a resource: data that Terraform stores next to
// the state and does not show.
type PrivateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// StoredSecretNames returns the names of the write-only secrets from the private
// state.
func StoredSecretNames(ctx context.Context, private PrivateState, diags *diag.Diagnostics) []string {
	stored, problems := private.GetKey(ctx, WriteOnlySecrets)
	diags.Append(problems...)
	if len(stored) == 0 {
		return nil
	}
	var names []string
	if err := json.Unmarshal(stored, &names); err != nil {
		diags.AddError("Invalid private data in the state", Sentence(err))
	}
	return names
}

// SecretUpdate computes the changes that an apply makes to the secrets of an object.
type SecretUpdate struct {
	// Plain is the planned secret_environment_variables.
	Plain map[string]string
	// WriteOnly is the write-only map. It is used only if SendWriteOnly is set.
	WriteOnly     map[string]string
	SendWriteOnly bool
	// StoredNames are the names of the write-only secrets before the apply.
	StoredNames []string
}

// Changes returns the secrets to send, given those that the service has; nil if
// nothing changes. If SendWriteOnly is set, it returns all write-only secrets: the
// user has changed the version to send them again.
func (u SecretUpdate) Changes(current []*sdk.SecretHashedValue) []*sdk.Secret {
	changes := secretChanges(u.Plain, WithoutSecrets(current, u.NamesAfter()))
	if !u.SendWriteOnly {
		return changes
	}
	for _, key := range u.NamesAfter() {
		changes = append(changes, &sdk.Secret{Key: key, Value: new(u.WriteOnly[key])})
	}
	return changes
}

// NamesAfter returns the names of the write-only secrets after a successful apply.
func (u SecretUpdate) NamesAfter() []string {
	if u.SendWriteOnly {
		return slices.Sorted(maps.Keys(u.WriteOnly))
	}
	return slices.DeleteFunc(slices.Clone(u.StoredNames), func(name string) bool {
		_, moved := u.Plain[name]
		return moved
	})
}

// NamesDuring returns the names of all secrets that may be write-only while the
// outcome of the apply is not known.
func (u SecretUpdate) NamesDuring() []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(u.StoredNames, u.NamesAfter()))))
}

// StoreNames stores the names of write-only secrets in the private state. It stores
// nothing for an object that never had any.
func (u SecretUpdate) StoreNames(ctx context.Context, private PrivateState, names []string, diags *diag.Diagnostics) {
	if len(names) == 0 && len(u.StoredNames) == 0 {
		return
	}
	if names == nil {
		names = []string{}
	}
	stored, err := json.Marshal(names)
	if err != nil {
		diags.AddError("Cannot store the names of the secrets", Sentence(err))
		return
	}
	diags.Append(private.SetKey(ctx, WriteOnlySecrets, stored)...)
}

// secretChanges returns the secrets to send so that the service has exactly the wanted
// ones: new and changed secrets with a value, removed ones without. It returns nil if
// nothing changes.
func secretChanges(wanted map[string]string, current []*sdk.SecretHashedValue) []*sdk.Secret {
	stored := MapStrings(SecretHashes(current))
	var changes []*sdk.Secret
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if hash, ok := stored[key]; ok && spelling.SecretMatches(wanted[key], hash) {
			continue
		}
		changes = append(changes, &sdk.Secret{Key: key, Value: new(wanted[key])})
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if _, ok := wanted[key]; !ok {
			changes = append(changes, &sdk.Secret{Key: key})
		}
	}
	return changes
}

// SecretHashes returns the hashes that the service returns, by key.
func SecretHashes(secrets []*sdk.SecretHashedValue) types.Map {
	hashes := make(map[string]string, len(secrets))
	for _, secret := range secrets {
		if secret != nil {
			hashes[secret.Key] = secret.HashedValue
		}
	}
	return MapValue(hashes)
}

// KeepSecrets returns the secrets for a refreshed state: the hashes that the service
// returns, or the prior map if both are empty. Values in clear in the prior state do
// not stay there.
func KeepSecrets(prior types.Map, current []*sdk.SecretHashedValue) types.Map {
	return spelling.KeepMap(prior, SecretHashes(current))
}

// WithoutSecrets returns the secrets whose key is not in names.
func WithoutSecrets(secrets []*sdk.SecretHashedValue, names []string) []*sdk.SecretHashedValue {
	return slices.DeleteFunc(slices.Clone(secrets), func(secret *sdk.SecretHashedValue) bool {
		return secret != nil && slices.Contains(names, secret.Key)
	})
}
