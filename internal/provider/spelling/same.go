package spelling

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Same reports whether two texts, both set, say the same.
type Same func(a, b string) bool

// Text is the strictest Same: two texts are the same if they are equal.
func Text(a, b string) bool {
	return a == b
}

// Reference compares ids and leaves out their regions: the official provider
// stores some references bare that its users write with a region.
func Reference(a, b string) bool {
	return regional.Bare(a) == regional.Bare(b)
}

// Instant compares RFC 3339 times by the second that they name, because a token
// expires at a second. The service may round to microseconds, so times that differ by
// no more are the same, too.
func Instant(a, b string) bool {
	return compareTimes(a, b, func(first, second time.Time) bool {
		return first.Truncate(time.Second).Equal(second.Truncate(time.Second)) || first.Sub(second).Abs() <= time.Microsecond
	})
}

// Rounded reports whether one time may be what a service has made of the other: it
// may cut or round to a second.
func Rounded(a, b string) bool {
	return compareTimes(a, b, func(first, second time.Time) bool { return first.Sub(second).Abs() < time.Second })
}

func compareTimes(a, b string, same func(first, second time.Time) bool) bool {
	first, errFirst := time.Parse(time.RFC3339, a)
	second, errSecond := time.Parse(time.RFC3339, b)
	if errFirst != nil || errSecond != nil {
		return a == b
	}
	return same(first, second)
}

// Hostname compares host names: their case and a dot at the end say nothing.
func Hostname(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// Unset reports whether a value says nothing. The official provider writes ""
// where a newer one writes null.
func Unset(v types.String) bool {
	return v.IsNull() || (!v.IsUnknown() && v.ValueString() == "")
}

// Equal reports whether two values say the same, where null and "" do.
func Equal(a, b types.String, same Same) bool {
	switch {
	case a.IsUnknown() || b.IsUnknown():
		return false
	case Unset(a) || Unset(b):
		return Unset(a) && Unset(b)
	default:
		return same(a.ValueString(), b.ValueString())
	}
}

// Keep returns the prior spelling of a value if the new one says the same, and
// the new value otherwise.
func Keep(prior, next types.String, same Same) types.String {
	if Equal(prior, next, same) {
		return prior
	}
	return next
}

// KeepMap is Keep for maps, where null and {} say the same.
func KeepMap(prior, next types.Map) types.Map {
	if prior.IsUnknown() || next.IsUnknown() {
		return next
	}
	if len(prior.Elements()) == 0 && len(next.Elements()) == 0 {
		return prior
	}
	return next
}

// KeepList is Keep for lists, where null and [] say the same.
func KeepList(prior, next types.List) types.List {
	if prior.IsUnknown() || next.IsUnknown() {
		return next
	}
	if len(prior.Elements()) == 0 && len(next.Elements()) == 0 {
		return prior
	}
	return next
}

// OrEmpty returns "" for null, and any other value unchanged.
func OrEmpty(v types.String) types.String {
	if v.IsNull() {
		return types.StringValue("")
	}
	return v
}

// OrEmptyMap returns {} for a null map of strings, and any other map unchanged.
func OrEmptyMap(v types.Map) types.Map {
	if v.IsNull() {
		return types.MapValueMust(types.StringType, map[string]attr.Value{})
	}
	return v
}

// OrEmptyList returns [] for a null list of strings, and any other list unchanged.
func OrEmptyList(v types.List) types.List {
	if v.IsNull() {
		return types.ListValueMust(types.StringType, []attr.Value{})
	}
	return v
}
