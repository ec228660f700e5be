package provider

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
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"
)

// Secrets come from two maps. The official provider's ends up in plans and
// states, as values or as hashes. The write-only one leaves no trace but the
// names of its keys, which private state remembers: the service does not say
// which of its secrets came from which map.

const (
	writeOnlySecrets        = "secret_environment_variables_wo"
	writeOnlySecretsVersion = "secret_environment_variables_wo_version"
)

// The map is not declared sensitive. Nothing shows a write-only value anyway, and
// Terraform 1.11 plans an update, without a refresh, of every state in which an
// attribute is not marked that is sensitive now: of all of the official
// provider's.
func writeOnlySecretsAttribute(noun string) schema.Attribute {
	return schema.MapAttribute{
		ElementType: types.StringType,
		Optional:    true,
		WriteOnly:   true,
		MarkdownDescription: "Secret environment variables of the " + noun + " that are in no plan and no state, beside those of `secret_environment_variables`; " +
			"a key can be in one of the two maps only. They are sent when the " + noun + " is made, and whenever `" + writeOnlySecretsVersion + "` changes, " +
			"which also deletes the keys that the map had then and has no more. Needs Terraform 1.11 or OpenTofu 1.11.",
		Validators: append(variables(), mapvalidator.AlsoRequires(path.MatchRoot(writeOnlySecretsVersion))),
	}
}

func writeOnlySecretsVersionAttribute() schema.Attribute {
	return schema.Int64Attribute{
		Optional: true,
		MarkdownDescription: "Any number. Terraform cannot see that `" + writeOnlySecrets + "` has changed: " +
			"write another number here to have it sent again.",
		Validators: []validator.Int64{int64validator.AlsoRequires(path.MatchRoot(writeOnlySecrets))},
	}
}

// checkSecrets reports keys that are in both maps, as far as they are known.
func checkSecrets(plain, writeOnly types.Map, diags *diag.Diagnostics) {
	var twice []string
	for key := range writeOnly.Elements() {
		if _, ok := plain.Elements()[key]; ok {
			twice = append(twice, quoted(key))
		}
	}
	if len(twice) > 0 {
		slices.Sort(twice)
		diags.AddAttributeError(path.Root(writeOnlySecrets), "Secret in two maps",
			"Both secret_environment_variables and "+writeOnlySecrets+" have "+strings.Join(twice, ", ")+": remove each key from one of them.")
	}
}

// privateState is what a resource remembers beside its state.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// rememberedSecrets returns the names of the write-only secrets that the service
// has.
func rememberedSecrets(ctx context.Context, private privateState, diags *diag.Diagnostics) []string {
	stored, problems := private.GetKey(ctx, writeOnlySecrets)
	diags.Append(problems...)
	if len(stored) == 0 {
		return nil
	}
	var names []string
	if err := json.Unmarshal(stored, &names); err != nil {
		diags.AddError("The state holds malformed private data", sentence(err))
	}
	return names
}

// secretUpdate is what an apply makes of the secrets of an object.
type secretUpdate struct {
	// plain is the official provider's map.
	plain map[string]string
	// writeOnly is the write-only map, which counts only if send is set.
	writeOnly map[string]string
	send      bool
	// remembered are the names of the write-only secrets until now.
	remembered []string
}

// changes returns what to send, given what the service has; nil is nothing. The
// write-only map is sent whole, because to ask for that is what the version is
// for.
func (u secretUpdate) changes(current []*function.SecretHashedValue) []*function.Secret {
	changes := secretChanges(u.plain, withoutSecrets(current, u.after()))
	if !u.send {
		return changes
	}
	for _, key := range u.after() {
		changes = append(changes, &function.Secret{Key: key, Value: new(u.writeOnly[key])})
	}
	return changes
}

// after returns the names of the write-only secrets once the changes are made.
func (u secretUpdate) after() []string {
	if u.send {
		return slices.Sorted(maps.Keys(u.writeOnly))
	}
	return slices.DeleteFunc(slices.Clone(u.remembered), func(name string) bool {
		_, moved := u.plain[name]
		return moved
	})
}

// meanwhile returns the names of all secrets that may be write-only ones while
// it is not known whether the changes were made.
func (u secretUpdate) meanwhile() []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(u.remembered, u.after()))))
}

// remember keeps the names of write-only secrets. An object that never had any
// gets no private state.
func (u secretUpdate) remember(ctx context.Context, private privateState, names []string, diags *diag.Diagnostics) {
	if len(names) == 0 && len(u.remembered) == 0 {
		return
	}
	if names == nil {
		names = []string{}
	}
	stored, err := json.Marshal(names)
	if err != nil {
		diags.AddError("Cannot remember the names of the secrets", sentence(err))
		return
	}
	diags.Append(private.SetKey(ctx, writeOnlySecrets, stored)...)
}

// withoutSecrets leaves out the secrets of some names.
func withoutSecrets(secrets []*function.SecretHashedValue, names []string) []*function.SecretHashedValue {
	return slices.DeleteFunc(slices.Clone(secrets), func(secret *function.SecretHashedValue) bool {
		return secret != nil && slices.Contains(names, secret.Key)
	})
}
