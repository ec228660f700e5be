package tfkit

import (
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
	"github.com/jeton-dev/jeton/internal/provider/spelling"
)

// IsSet reports whether a string is known, not null and not "".
func IsSet(v types.String) bool {
	return !v.IsUnknown() && !spelling.Unset(v)
}

// MapStrings returns the strings of a map; a null map is empty. It never returns nil.
func MapStrings(m types.Map) map[string]string {
	values := map[string]string{}
	for key, element := range m.Elements() {
		if value, ok := element.(types.String); ok {
			values[key] = value.ValueString()
		}
	}
	return values
}

// ListStrings returns the strings of a list; a null list is empty. It never returns
// nil: the service leaves a list unchanged that is missing from a request.
func ListStrings(l types.List) []string {
	values := []string{}
	for _, element := range l.Elements() {
		if value, ok := element.(types.String); ok {
			values = append(values, value.ValueString())
		}
	}
	return values
}

// MapValue returns a map of strings.
func MapValue(m map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(m))
	for key, value := range m {
		elements[key] = types.StringValue(value)
	}
	return types.MapValueMust(types.StringType, elements)
}

// ListValue returns a list of strings.
func ListValue(l []string) types.List {
	elements := make([]attr.Value, 0, len(l))
	for _, value := range l {
		elements = append(elements, types.StringValue(value))
	}
	return types.ListValueMust(types.StringType, elements)
}

// ChangedString returns the planned string if it differs from the current one, where
// null and "" are equal, and nil otherwise.
func ChangedString(planned types.String, current *string) *string {
	if planned.IsUnknown() || spelling.Equal(planned, types.StringPointerValue(current), spelling.Text) {
		return nil
	}
	return new(planned.ValueString())
}

// ChangedMap returns the planned map if it differs from the current one, and nil
// otherwise.
func ChangedMap(planned types.Map, current map[string]string) *map[string]string {
	if planned.IsUnknown() || maps.Equal(MapStrings(planned), current) {
		return nil
	}
	return new(MapStrings(planned))
}

// ChangedList returns the planned list if it differs from the current one, and nil
// otherwise.
func ChangedList(planned types.List, current []string) *[]string {
	if planned.IsUnknown() || slices.Equal(ListStrings(planned), current) {
		return nil
	}
	return new(ListStrings(planned))
}

// ChangedNumber returns the planned number if it differs from the current one, and nil
// otherwise. A null number is not a change.
func ChangedNumber(planned types.Int64, current uint32) *uint32 {
	if planned.IsNull() || planned.IsUnknown() || planned.ValueInt64() == int64(current) {
		return nil
	}
	return new(uint32(planned.ValueInt64()))
}

// OptionalNumber returns the number, or nil if it is null or unknown.
func OptionalNumber(v types.Int64) *uint32 {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return new(uint32(v.ValueInt64()))
}

// OptionalString returns the string, or nil if it is null, unknown or "".
func OptionalString(v types.String) *string {
	if v.IsUnknown() || spelling.Unset(v) {
		return nil
	}
	return v.ValueStringPointer()
}

// RegionalReference returns a UUID as the ID of an object in the region of id; null if
// the UUID is nil or "".
func RegionalReference(id regional.ID, uuid *string) types.String {
	if uuid == nil || *uuid == "" {
		return types.StringNull()
	}
	return types.StringValue(regional.ID{Region: id.Region, UUID: *uuid}.String())
}

// Instant returns a time in UTC, formatted by RFC 3339; null for nil.
func Instant(t *time.Time) types.String {
	if t == nil {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}
