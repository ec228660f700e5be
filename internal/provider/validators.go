package provider

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/scaleway/scaleway-sdk-go/validation"

	"github.com/jeton-dev/jeton/internal/grammar"
	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// maxNumber is the greatest number that the API's fields hold. Limits that the
// operator of a server can raise are the API's to check.
const maxNumber = math.MaxInt32

func namespaceNameValidators() []validator.String {
	return []validator.String{textValidator{
		description: "letters, digits and hyphens, with a letter first and no hyphen last",
		summary:     "Invalid namespace name",
		fault: func(text string) string {
			if grammar.IsNamespaceName(text) {
				return ""
			}
			return quoted(text) + " is not a namespace name: a namespace name begins with a letter, goes on with letters, digits and hyphens, " +
				"ends with a letter or digit, and has at most " + strconv.Itoa(grammar.MaxNamespaceName) + " characters."
		},
	}}
}

func functionNameValidators() []validator.String {
	return []validator.String{
		stringvalidator.LengthAtMost(grammar.MaxFunctionName),
		textValidator{
			description: "lower-case letters, digits and hyphens, with no hyphen first or last",
			summary:     "Invalid function name",
			fault: func(text string) string {
				if grammar.IsFunctionName(text) {
					return ""
				}
				return quoted(text) + " is not a function name: a function name holds lower-case letters, digits and hyphens, and begins and ends with a letter or digit."
			},
		},
	}
}

// variables checks the names of environment variables. How many there may be and how
// long their values are is the API's to check.
func variables() []validator.Map {
	return []validator.Map{mapvalidator.KeysAre(stringvalidator.LengthBetween(1, grammar.MaxVariableName), variableName())}
}

// variableName refuses names that the service does not accept: otherwise it refuses
// them when the plan is carried out, with half of it done. A name of the wrong length
// has one message.
func variableName() validator.String {
	return textValidator{
		description: "a letter or _, then letters, digits, _, . and -, and not the name of a variable that the service sets",
		summary:     "Invalid variable name",
		fault: func(text string) string {
			switch {
			case text == "" || len(text) > grammar.MaxVariableName || grammar.IsVariableName(text) && !grammar.IsReservedVariable(text):
				return ""
			case grammar.IsReservedVariable(text):
				return quoted(text) + " is a variable that the service sets itself: choose another name."
			default:
				return quoted(text) + " is no name of a variable: begin with a letter or _, and go on with letters, digits, _, . and -."
			}
		},
	}
}

// textValidator refuses a text that its check finds fault with. The fault says
// what to write instead; it never repeats a value that may be secret.
type textValidator struct {
	description string
	summary     string
	fault       func(text string) string
}

func (v textValidator) Description(context.Context) string {
	return v.description
}

func (v textValidator) MarkdownDescription(context.Context) string {
	return v.description
}

func (v textValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if fault := v.fault(req.ConfigValue.ValueString()); fault != "" {
		resp.Diagnostics.AddAttributeError(req.Path, v.summary, fault)
	}
}

// rfc3339 wants a point in time.
func rfc3339() validator.String {
	return textValidator{
		description: "a point in time such as 2030-01-31T12:00:00Z",
		summary:     "Invalid point in time",
		fault: func(text string) string {
			if _, err := time.Parse(time.RFC3339, text); err != nil {
				return quoted(text) + " is no point in time of RFC 3339: write it with the date, the time and the time zone, " +
					"for example 2030-01-31T12:00:00Z or 2030-01-31T13:00:00+01:00."
			}
			return ""
		},
	}
}

// reference wants the id of another object.
func reference() validator.String {
	return textValidator{description: "a uuid or region/uuid", summary: "Invalid id", fault: malformedReference}
}

// optionalReference lets "" stand for what is left out.
func optionalReference() validator.String {
	return textValidator{
		description: "a uuid, region/uuid or nothing",
		summary:     "Invalid id",
		fault: func(text string) string {
			if text == "" {
				return ""
			}
			return malformedReference(text)
		},
	}
}

func malformedReference(text string) string {
	if _, err := regional.ParseReference(text, ""); err != nil {
		return sentence(err)
	}
	return ""
}

// regionName wants a region, which may be one that this program does not know.
func regionName() validator.String {
	return textValidator{
		description: "a region such as fr-par",
		summary:     "Invalid region",
		fault: func(text string) string {
			if !regional.WellFormed(text) {
				return quoted(text) + " is no region: write fr-par, nl-ams or pl-waw."
			}
			return ""
		},
	}
}

// uuid wants the id of a project.
func uuid() validator.String {
	return textValidator{
		description: "a uuid",
		summary:     "Invalid id",
		fault: func(text string) string {
			if !validation.IsUUID(text) {
				return quoted(text) + " is no uuid: write it like 11111111-1111-1111-1111-111111111111."
			}
			return ""
		},
	}
}

// quoted shows a value that a user wrote, cut to what fits a message.
func quoted(text string) string {
	const most = 80
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strconv.Quote(text)
}
