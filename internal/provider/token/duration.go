package token

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/jeton-dev/jeton/internal/provider/tfkit"
)

// minTTL is the shortest life of a token that has a point: it takes seconds
// until the plan is carried out.
const minTTL = time.Minute

// durationBetween wants a length of time of at least and at most so much; a most of 0 is no
// limit. The advice says what else to use where the text is above it.
func durationBetween(least, most time.Duration, advice string) validator.String {
	return tfkit.StringRule("a length of time such as 90m or 720h", "Invalid length of time", func(text string) string {
		d, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return tfkit.Quote(text) + " is no length of time: write numbers and units, which are h, m and s, for example 90m, 1h30m or 720h for 30 days."
		case d < least:
			return tfkit.Quote(text) + " is too short: write " + formatDuration(least) + " or more."
		case most > 0 && d > most:
			return tfkit.Quote(text) + " is too long: write " + formatDuration(most) + " or less. " + advice
		default:
			return ""
		}
	})
}

// formatDuration writes a length of time as users write it, without units that count 0.
func formatDuration(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-len(zero)+1]
		}
	}
	return text
}

// durationOf returns the length of time that a validated text stands for, and false
// if there is none, or it is not known yet.
func durationOf(v types.String) (time.Duration, bool) {
	if !tfkit.IsSet(v) {
		return 0, false
	}
	d, err := time.ParseDuration(v.ValueString())
	return d, err == nil
}

// sameDuration compares lengths of time by what they stand for.
func sameDuration(a, b string) bool {
	first, errFirst := time.ParseDuration(a)
	second, errSecond := time.ParseDuration(b)
	if errFirst != nil || errSecond != nil {
		return a == b
	}
	return first == second
}
