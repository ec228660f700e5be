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

// variableNames checks the names of environment variables. How many there may be and how
// long their values are is the API's to check.
func variableNames() []validator.Map {
	return []validator.Map{mapvalidator.KeysAre(stringvalidator.LengthBetween(1, grammar.MaxVariableName), variableName())}
}

// variableName refuses names that the service does not accept: otherwise it refuses
// them when the plan is carried out, with half of it done. A name of the wrong length
// has one message.
func variableName() validator.String {
	return StringRule("a letter or _, then letters, digits, _, . and -, and not the name of a variable that the service sets", "Invalid variable name", func(text string) string {
		switch {
		case text == "" || len(text) > grammar.MaxVariableName || grammar.IsVariableName(text) && !grammar.IsReservedVariable(text):
			return ""
		case grammar.IsReservedVariable(text):
			return Quote(text) + " is a variable that the service sets itself: choose another name."
		default:
			return Quote(text) + " is no name of a variable: begin with a letter or _, and go on with letters, digits, _, . and -."
		}
	})
}

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

// rfc3339 wants a point in time.
func RFC3339() validator.String {
	return StringRule("a point in time such as 2030-01-31T12:00:00Z", "Invalid point in time", func(text string) string {
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return Quote(text) + " is no point in time of RFC 3339: write it with the date, the time and the time zone, " +
				"for example 2030-01-31T12:00:00Z or 2030-01-31T13:00:00+01:00."
		}
		return ""
	})
}

// Reference wants the id of another object.
func Reference() validator.String {
	return StringRule("a uuid or region/uuid", "Invalid id", malformedReference)
}

// OptionalReference lets "" stand for what is left out.
func OptionalReference() validator.String {
	return StringRule("a uuid, region/uuid or nothing", "Invalid id", func(text string) string {
		if text == "" {
			return ""
		}
		return malformedReference(text)
	})
}

func malformedReference(text string) string {
	if _, err := regional.ParseReference(text, ""); err != nil {
		return Sentence(err)
	}
	return ""
}

// RegionName wants a region, which may be one that this program does not know.
func RegionName() validator.String {
	return StringRule("a region such as fr-par", "Invalid region", func(text string) string {
		if !regional.WellFormed(text) {
			return Quote(text) + " is no region: write fr-par, nl-ams or pl-waw."
		}
		return ""
	})
}

// UUID wants the id of a project.
func UUID() validator.String {
	return StringRule("a uuid", "Invalid id", func(text string) string {
		if !validation.IsUUID(text) {
			return Quote(text) + " is no uuid: write it like 11111111-1111-1111-1111-111111111111."
		}
		return ""
	})
}

// Quote shows a value that a user wrote, cut to what fits a message.
func Quote(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strconv.Quote(text)
}
