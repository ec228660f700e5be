package spelling

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Same reports whether two values that are set are equivalent.
type Same func(a, b string) bool

// Text reports whether two texts are equal.
func Text(a, b string) bool {
	return a == b
}

// Reference compares ids without their regions: the official provider stores some
// references bare although they are configured with a region.
func Reference(a, b string) bool {
	return regional.Bare(a) == regional.Bare(b)
}

// Instant compares RFC 3339 times truncated to seconds, because a token expires at a
// full second. Times that differ by at most a microsecond are also equivalent,
// because the service may round to microseconds.
func Instant(a, b string) bool {
	return compareTimes(a, b, func(first, second time.Time) bool {
		return first.Truncate(time.Second).Equal(second.Truncate(time.Second)) || first.Sub(second).Abs() <= time.Microsecond
	})
}

// Rounded reports whether two RFC 3339 times differ by less than a second, so that
// one may be the service's rounding of the other.
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

// Hostname compares host names without regard to case and a trailing dot.
func Hostname(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// Unset reports whether a value is null or "".
func Unset(v types.String) bool {
	return v.IsNull() || (!v.IsUnknown() && v.ValueString() == "")
}

// Equal reports whether two values are equivalent. Null and "" are; an unknown value
// is equivalent to none.
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

// Keep returns the prior value if the next one is equivalent, and the next one
// otherwise.
func Keep(prior, next types.String, same Same) types.String {
	if Equal(prior, next, same) {
		return prior
	}
	return next
}

// KeepMap returns the prior map if both are empty or null, and the next one
// otherwise.
func KeepMap(prior, next types.Map) types.Map {
	if prior.IsUnknown() || next.IsUnknown() {
		return next
	}
	if len(prior.Elements()) == 0 && len(next.Elements()) == 0 {
		return prior
	}
	return next
}

// KeepList returns the prior list if both are empty or null, and the next one
// otherwise.
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
