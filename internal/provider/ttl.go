package provider

import (
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// leastTTL is the shortest life of a token that has a point: it takes seconds
// until the plan is carried out.
const leastTTL = time.Minute

// span wants a length of time of at least and at most so much; a most of 0 is no
// limit. The advice says what else to use where the text is above it.
func span(least, most time.Duration, advice string) validator.String {
	return textValidator{
		description: "a length of time such as 90m or 720h",
		summary:     "Invalid length of time",
		fault: func(text string) string {
			d, err := time.ParseDuration(text)
			switch {
			case err != nil:
				return quoted(text) + " is no length of time: write numbers and units, which are h, m and s, for example 90m, 1h30m or 720h for 30 days."
			case d < least:
				return quoted(text) + " is too short: write " + short(least) + " or more."
			case most > 0 && d > most:
				return quoted(text) + " is too long: write " + short(most) + " or less. " + advice
			default:
				return ""
			}
		},
	}
}

// short writes a length of time as users write it, without units that count 0.
func short(d time.Duration) string {
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-len(zero)+1]
		}
	}
	return text
}

// spanOf returns the length of time that a validated text stands for, and false
// if there is none, or it is not known yet.
func spanOf(v types.String) (time.Duration, bool) {
	if !isText(v) {
		return 0, false
	}
	d, err := time.ParseDuration(v.ValueString())
	return d, err == nil
}

// sameSpan compares lengths of time by what they stand for.
func sameSpan(a, b string) bool {
	first, errFirst := time.ParseDuration(a)
	second, errSecond := time.ParseDuration(b)
	if errFirst != nil || errSecond != nil {
		return a == b
	}
	return first == second
}
