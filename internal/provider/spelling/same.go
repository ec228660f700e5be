package spelling

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Same reports whether two strings, both set, are equal.
type Same func(a, b string) bool

// Text reports whether two strings are identical.
func Text(a, b string) bool {
	return a == b
}

// Reference reports whether two IDs have the same UUID. It ignores regions: the official
// provider stores some references without the region that is configured.
func Reference(a, b string) bool {
	return regional.Bare(a) == regional.Bare(b)
}

// Instant reports whether two RFC 3339 times are in the same second, because a token
// expires at a second, or differ by at most a microsecond, because the service may round to
// microseconds.
func Instant(a, b string) bool {
	return compareTimes(a, b, func(first, second time.Time) bool {
		return first.Truncate(time.Second).Equal(second.Truncate(time.Second)) || first.Sub(second).Abs() <= time.Microsecond
	})
}

// Rounded reports whether two RFC 3339 times differ by less than a second: the service may
// truncate or round to seconds.
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

// Hostname reports whether two hostnames are equal, regardless of case and a final dot.
func Hostname(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// Unset reports whether a string is null or "", which the official provider writes instead
// of null.
func Unset(v types.String) bool {
	return v.IsNull() || (!v.IsUnknown() && v.ValueString() == "")
}

// Equal reports whether two values are equal by same. Null and "" are equal; unknown values
// are not equal to any value.
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

// Keep returns the prior value if the next one is equal by same, and the next one
// otherwise.
func Keep(prior, next types.String, same Same) types.String {
	if Equal(prior, next, same) {
		return prior
	}
	return next
}

// KeepMap returns the prior map if both are null or {}, and the next one otherwise.
func KeepMap(prior, next types.Map) types.Map {
	if prior.IsUnknown() || next.IsUnknown() {
		return next
	}
	if len(prior.Elements()) == 0 && len(next.Elements()) == 0 {
		return prior
	}
	return next
}

// KeepList returns the prior list if both are null or [], and the next one otherwise.
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
