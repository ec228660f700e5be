package tfkit

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"
	sdk "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// MapStrings returns the strings of a map; null is an empty map.
func MapStrings(m types.Map) map[string]string {
	read := map[string]string{}
	for key, value := range m.Elements() {
		if text, ok := value.(types.String); ok {
			read[key] = text.ValueString()
		}
	}
	return read
}

// ListStrings returns the strings of a list; null is an empty list. It is never nil,
// because the service takes an absent list for "as it was".
func ListStrings(l types.List) []string {
	read := []string{}
	for _, value := range l.Elements() {
		if text, ok := value.(types.String); ok {
			read = append(read, text.ValueString())
		}
	}
	return read
}

func MapValue(m map[string]string) types.Map {
	values := make(map[string]attr.Value, len(m))
	for key, text := range m {
		values[key] = types.StringValue(text)
	}
	return types.MapValueMust(types.StringType, values)
}

func ListValue(l []string) types.List {
	values := make([]attr.Value, 0, len(l))
	for _, text := range l {
		values = append(values, types.StringValue(text))
	}
	return types.ListValueMust(types.StringType, values)
}

// SecretHashes returns the secrets as the service shows them.
func SecretHashes(secrets []*sdk.SecretHashedValue) types.Map {
	shown := make(map[string]string, len(secrets))
	for _, secret := range secrets {
		if secret != nil {
			shown[secret.Key] = secret.HashedValue
		}
	}
	return MapValue(shown)
}

// KeepSecrets returns the secrets as the service shows them, for a state that is
// read: whatever was there in clear until now leaves the state.
func KeepSecrets(prior types.Map, current []*sdk.SecretHashedValue) types.Map {
	return spelling.KeepMap(prior, SecretHashes(current))
}

// secretChanges returns what to send so that the service has exactly the wanted
// secrets: new and different ones with their value, superfluous ones without. It
// is nil if nothing is to be sent.
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

// ChangedString returns the wanted text if it differs from the current one, where
// null and "" are the same, and nil otherwise.
func ChangedString(wanted types.String, current *string) *string {
	if wanted.IsUnknown() || spelling.Equal(wanted, types.StringPointerValue(current), spelling.Text) {
		return nil
	}
	return new(wanted.ValueString())
}

// ChangedMap returns the wanted map if it differs from the current one.
func ChangedMap(wanted types.Map, current map[string]string) *map[string]string {
	if wanted.IsUnknown() || maps.Equal(MapStrings(wanted), current) {
		return nil
	}
	return new(MapStrings(wanted))
}

// ChangedList returns the wanted list if it differs from the current one.
func ChangedList(wanted types.List, current []string) *[]string {
	if wanted.IsUnknown() || slices.Equal(ListStrings(wanted), current) {
		return nil
	}
	return new(ListStrings(wanted))
}

// ChangedNumber returns the wanted number if it differs from the current one.
func ChangedNumber(wanted types.Int64, current uint32) *uint32 {
	if wanted.IsNull() || wanted.IsUnknown() || wanted.ValueInt64() == int64(current) {
		return nil
	}
	return new(uint32(wanted.ValueInt64()))
}

// OptionalNumber returns the number, or nil if there is none.
func OptionalNumber(v types.Int64) *uint32 {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return new(uint32(v.ValueInt64()))
}

// OptionalString returns the text, or nil if there is none or it is "".
func OptionalString(v types.String) *string {
	if v.IsUnknown() || spelling.Unset(v) {
		return nil
	}
	return v.ValueStringPointer()
}

func IsSet(v types.String) bool {
	return !v.IsUnknown() && !spelling.Unset(v)
}

// RegionalReference writes a bare uuid as the id of an object in the same region
// as id, or null if there is none.
func RegionalReference(id regional.ID, uuid *string) types.String {
	if uuid == nil || *uuid == "" {
		return types.StringNull()
	}
	return types.StringValue(regional.ID{Region: id.Region, UUID: *uuid}.String())
}

func Instant(t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}
