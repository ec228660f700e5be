package tfkit

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// Secrets come from two maps. The official provider's ends up in plans and
// states, as values or as hashes. The write-only one leaves no trace but the
// names of its keys, which private state remembers: the service does not say
// which of its secrets came from which map.

const (
	WriteOnlySecrets        = "secret_environment_variables_wo"
	WriteOnlySecretsVersion = "secret_environment_variables_wo_version"
)

// The map is not declared sensitive. Nothing shows a write-only value anyway, and
// Terraform 1.11 plans an update, without a refresh, of every state in which an
// attribute is not marked that is sensitive now: of all of the official
// provider's.
func WriteOnlySecretsAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType,
		Optional:    true,
		WriteOnly:   true,
		MarkdownDescription: "Secret environment variables of the " + noun + " that are in no plan and no state, beside those of `secret_environment_variables`; " +
			"a key can be in one of the two maps only. They are sent when the " + noun + " is made, and whenever `" + WriteOnlySecretsVersion + "` changes, " +
			"which also deletes the keys that the map had then and has no more. Needs Terraform 1.11 or OpenTofu 1.11.",
		Validators: append(variableNames(), mapvalidator.AlsoRequires(path.MatchRoot(WriteOnlySecretsVersion))),
	}
}

func WriteOnlySecretsVersionAttribute() schema.Attribute {
	return schema.Int64Attribute{
		Optional: true,
		MarkdownDescription: "Any number. Terraform cannot see that `" + WriteOnlySecrets + "` has changed: " +
			"write another number here to have it sent again.",
		Validators: []validator.Int64{int64validator.AlsoRequires(path.MatchRoot(WriteOnlySecrets))},
	}
}

// CheckSecrets reports keys that are in both maps, as far as they are known.
func CheckSecrets(plain, writeOnly types.Map, diags *diag.Diagnostics) {
	var twice []string
	for key := range writeOnly.Elements() {
		if _, ok := plain.Elements()[key]; ok {
			twice = append(twice, Quote(key))
		}
	}
	if len(twice) > 0 {
		slices.Sort(twice)
		diags.AddAttributeError(path.Root(WriteOnlySecrets), "Secret in two maps",
			"Both secret_environment_variables and "+WriteOnlySecrets+" have "+strings.Join(twice, ", ")+": remove each key from one of them.")
	}
}

// PrivateState is what a resource remembers beside its state.
type PrivateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// StoredSecretNames returns the names of the write-only secrets that the service
// has.
func StoredSecretNames(ctx context.Context, private PrivateState, diags *diag.Diagnostics) []string {
	stored, problems := private.GetKey(ctx, WriteOnlySecrets)
	diags.Append(problems...)
	if len(stored) == 0 {
		return nil
	}
	var names []string
	if err := json.Unmarshal(stored, &names); err != nil {
		diags.AddError("The state holds malformed private data", Sentence(err))
	}
	return names
}

// SecretUpdate is what an apply makes of the secrets of an object.
type SecretUpdate struct {
	// plain is the official provider's map.
	Plain map[string]string
	// writeOnly is the write-only map, which counts only if send is set.
	WriteOnly     map[string]string
	SendWriteOnly bool
	// remembered are the names of the write-only secrets until now.
	StoredNames []string
}

// Changes returns what to send, given what the service has; nil is nothing. The
// write-only map is sent whole, because to ask for that is what the version is
// for.
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

// NamesAfter returns the names of the write-only secrets once the changes are made.
func (u SecretUpdate) NamesAfter() []string {
	if u.SendWriteOnly {
		return slices.Sorted(maps.Keys(u.WriteOnly))
	}
	return slices.DeleteFunc(slices.Clone(u.StoredNames), func(name string) bool {
		_, moved := u.Plain[name]
		return moved
	})
}

// NamesDuring returns the names of all secrets that may be write-only ones while
// it is not known whether the changes were made.
func (u SecretUpdate) NamesDuring() []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(u.StoredNames, u.NamesAfter()))))
}

// StoreNames keeps the names of write-only secrets. An object that never had any
// gets no private state.
func (u SecretUpdate) StoreNames(ctx context.Context, private PrivateState, names []string, diags *diag.Diagnostics) {
	if len(names) == 0 && len(u.StoredNames) == 0 {
		return
	}
	if names == nil {
		names = []string{}
	}
	stored, err := json.Marshal(names)
	if err != nil {
		diags.AddError("Cannot remember the names of the secrets", Sentence(err))
		return
	}
	diags.Append(private.SetKey(ctx, WriteOnlySecrets, stored)...)
}

// WithoutSecrets leaves out the secrets of some names.
func WithoutSecrets(secrets []*sdk.SecretHashedValue, names []string) []*sdk.SecretHashedValue {
	return slices.DeleteFunc(slices.Clone(secrets), func(secret *sdk.SecretHashedValue) bool {
		return secret != nil && slices.Contains(names, secret.Key)
	})
}
