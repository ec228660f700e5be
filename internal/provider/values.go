package provider

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// texts returns the strings of a map; null is an empty map.
func texts(m types.Map) map[string]string {
	read := map[string]string{}
	for key, value := range m.Elements() {
		if text, ok := value.(types.String); ok {
			read[key] = text.ValueString()
		}
	}
	return read
}

// lines returns the strings of a list; null is an empty list. It is never nil,
// because the service takes an absent list for "as it was".
func lines(l types.List) []string {
	read := []string{}
	for _, value := range l.Elements() {
		if text, ok := value.(types.String); ok {
			read = append(read, text.ValueString())
		}
	}
	return read
}

func textMap(m map[string]string) types.Map {
	values := make(map[string]attr.Value, len(m))
	for key, text := range m {
		values[key] = types.StringValue(text)
	}
	return types.MapValueMust(types.StringType, values)
}

func textList(l []string) types.List {
	values := make([]attr.Value, 0, len(l))
	for _, text := range l {
		values = append(values, types.StringValue(text))
	}
	return types.ListValueMust(types.StringType, values)
}

// hashes returns the secrets as the service shows them.
func hashes(secrets []*function.SecretHashedValue) types.Map {
	shown := make(map[string]string, len(secrets))
	for _, secret := range secrets {
		if secret != nil {
			shown[secret.Key] = secret.HashedValue
		}
	}
	return textMap(shown)
}

// keepSecrets returns the secrets as the service shows them, for a state that is
// read: whatever was there in clear until now leaves the state.
func keepSecrets(prior types.Map, current []*function.SecretHashedValue) types.Map {
	return spelling.KeepMap(prior, hashes(current))
}

// secretChanges returns what to send so that the service has exactly the wanted
// secrets: new and different ones with their value, superfluous ones without. It
// is nil if nothing is to be sent.
func secretChanges(wanted map[string]string, current []*function.SecretHashedValue) []*function.Secret {
	stored := texts(hashes(current))
	var changes []*function.Secret
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		if hash, ok := stored[key]; ok && spelling.SecretMatches(wanted[key], hash) {
			continue
		}
		changes = append(changes, &function.Secret{Key: key, Value: new(wanted[key])})
	}
	for _, key := range slices.Sorted(maps.Keys(stored)) {
		if _, ok := wanted[key]; !ok {
			changes = append(changes, &function.Secret{Key: key})
		}
	}
	return changes
}

// changedText returns the wanted text if it differs from the current one, where
// null and "" are the same, and nil otherwise.
func changedText(wanted types.String, current *string) *string {
	if wanted.IsUnknown() || spelling.Equal(wanted, types.StringPointerValue(current), spelling.Text) {
		return nil
	}
	return new(wanted.ValueString())
}

// changedTexts returns the wanted map if it differs from the current one.
func changedTexts(wanted types.Map, current map[string]string) *map[string]string {
	if wanted.IsUnknown() || maps.Equal(texts(wanted), current) {
		return nil
	}
	return new(texts(wanted))
}

// changedLines returns the wanted list if it differs from the current one.
func changedLines(wanted types.List, current []string) *[]string {
	if wanted.IsUnknown() || slices.Equal(lines(wanted), current) {
		return nil
	}
	return new(lines(wanted))
}

// changedNumber returns the wanted number if it differs from the current one.
func changedNumber(wanted types.Int64, current uint32) *uint32 {
	if wanted.IsNull() || wanted.IsUnknown() || wanted.ValueInt64() == int64(current) {
		return nil
	}
	return new(uint32(wanted.ValueInt64()))
}

// optionalNumber returns the number, or nil if there is none.
func optionalNumber(v types.Int64) *uint32 {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return new(uint32(v.ValueInt64()))
}

// optionalText returns the text, or nil if there is none or it is "".
func optionalText(v types.String) *string {
	if v.IsUnknown() || spelling.Unset(v) {
		return nil
	}
	return v.ValueStringPointer()
}
