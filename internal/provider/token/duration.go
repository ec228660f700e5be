package token

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// minTTL is the shortest accepted lifetime of a token: applying a plan takes seconds.
const minTTL = time.Minute

// durationBetween returns a validator of durations from minimum to maximum; a maximum
// of 0 is no limit. The advice is added to the message about a duration that is too
// long.
func durationBetween(minimum, maximum time.Duration, advice string) validator.String {
	return tfkit.StringRule("a duration such as 90m or 720h", "Invalid duration", func(value string) string {
		d, err := time.ParseDuration(value)
		switch {
		case err != nil:
			return tfkit.Quote(value) + " is not a valid duration: write numbers with the units h, m and s, for example 90m, 1h30m or 720h for 30 days."
		case d < minimum:
			return tfkit.Quote(value) + " is too short: write " + formatDuration(minimum) + " or more."
		case maximum > 0 && d > maximum:
			return tfkit.Quote(value) + " is too long: write " + formatDuration(maximum) + " or less. " + advice
		default:
			return ""
		}
	})
}

// formatDuration returns a duration without trailing units of 0: 1h, not 1h0m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-len(zero)+1]
		}
	}
	return text
}

// durationOf parses a validated duration. It returns false if the string is not set or
// unknown.
func durationOf(v types.String) (time.Duration, bool) {
	if !tfkit.IsSet(v) {
		return 0, false
	}
	d, err := time.ParseDuration(v.ValueString())
	return d, err == nil
}

// sameDuration reports whether two durations are equal, for example 60m and 1h.
func sameDuration(a, b string) bool {
	first, errFirst := time.ParseDuration(a)
	second, errSecond := time.ParseDuration(b)
	if errFirst != nil || errSecond != nil {
		return a == b
	}
	return first == second
}
