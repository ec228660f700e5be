package tfkit

import (
	"context"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/scaleway/scaleway-sdk-go/validation"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// StringRule returns a validator of strings. The check returns "" for a valid string,
// and otherwise what is wrong and what to write instead. It must not repeat a value
// that may be secret. Null and unknown values are not checked.
func StringRule(description, summary string, check func(value string) string) validator.String {
	return stringValidator{description: description, summary: summary, check: check}
}

type stringValidator struct {
	description string
	summary     string
	check       func(value string) string
}

// Description implements validator.Describer.
func (v stringValidator) Description(context.Context) string {
	return v.description
}

// MarkdownDescription implements validator.Describer.
func (v stringValidator) MarkdownDescription(context.Context) string {
	return v.description
}

// ValidateString implements validator.String.
func (v stringValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if problem := v.check(req.ConfigValue.ValueString()); problem != "" {
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, problem)
	}
}

// variableNames checks the keys of a map of environment variables. The service checks
// their number and the length of their values.
func variableNames() []validator.Map {
	return []validator.Map{mapvalidator.KeysAre(stringvalidator.LengthBetween(1, grammar.MaxVariableName), variableName())}
}

// variableName refuses names that the service refuses, so that an apply does not fail
// halfway. Names of the wrong length pass: the validator of the length reports them.
func variableName() validator.String {
	return StringRule("a letter or _, then letters, digits, _, . and -, and not a variable that the service sets", "Invalid variable name", func(name string) string {
		switch {
		case name == "" || len(name) > grammar.MaxVariableName || grammar.IsVariableName(name) && !grammar.IsReservedVariable(name):
			return ""
		case grammar.IsReservedVariable(name):
			return Quote(name) + " is reserved: the service sets this variable. Choose another name."
		default:
			return Quote(name) + " is not a valid variable name: begin with a letter or _, and continue with letters, digits, _, . and -."
		}
	})
}

// RFC3339 returns a validator of times.
func RFC3339() validator.String {
	return StringRule("a time such as 2030-01-31T12:00:00Z", "Invalid time", func(value string) string {
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return Quote(value) + " is not a valid RFC 3339 time: write the date, the time and the time zone, " +
				"for example 2030-01-31T12:00:00Z or 2030-01-31T13:00:00+01:00."
		}
		return ""
	})
}

// Reference returns a validator of IDs: region/uuid or a UUID.
func Reference() validator.String {
	return StringRule("region/uuid or a UUID", "Invalid ID", malformedReference)
}

// OptionalReference is Reference, but accepts "" as not set.
func OptionalReference() validator.String {
	return StringRule("region/uuid, a UUID or an empty string", "Invalid ID", func(value string) string {
		if value == "" {
			return ""
		}
		return malformedReference(value)
	})
}

func malformedReference(value string) string {
	if _, err := regional.ParseReference(value, ""); err != nil {
		return Sentence(err)
	}
	return ""
}

// RegionName returns a validator of regions. It accepts well-formed regions that this
// program does not know.
func RegionName() validator.String {
	return StringRule("a region such as fr-par", "Invalid region", func(value string) string {
		if !regional.WellFormed(value) {
			return Quote(value) + " is not a valid region: write fr-par, nl-ams or pl-waw."
		}
		return ""
	})
}

// UUID returns a validator of UUIDs.
func UUID() validator.String {
	return StringRule("a UUID", "Invalid ID", func(value string) string {
		if !validation.IsUUID(value) {
			return Quote(value) + " is not a valid UUID: write it like 11111111-1111-1111-1111-111111111111."
		}
		return ""
	})
}

// Quote quotes a value of the user's configuration for a message. It keeps the first
// 80 bytes.
func Quote(value string) string {
	const limit = 80
	if len(value) > limit {
		value = value[:limit] + "…"
	}
	return strconv.Quote(value)
}
