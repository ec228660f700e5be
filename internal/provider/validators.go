package provider

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/scaleway/scaleway-sdk-go/validation"

	"github.com/jeton-dev/jeton/internal/provider/regional"
)

// Limits of Scaleway's documentation of 2026.
const (
	maxFunctionName  = 34
	maxAttachedName  = 100
	maxVariableKey   = 100
	maxVariableValue = 1000
	maxSecretValue   = 65536
	maxScale         = 50
	maxTimeout       = 3600
)

// The names that the service takes; it refuses others in these words (issues
// pulumi-scaleway#254 and scaleway-cli#3165).
var (
	namespaceName = regexp.MustCompile(`^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`)
	functionName  = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
)

func namespaceNameValidators() []validator.String {
	return []validator.String{
		stringvalidator.RegexMatches(namespaceName,
			"a namespace name begins with a letter, goes on with letters, digits and hyphens, and ends with a letter or digit"),
	}
}

func functionNameValidators() []validator.String {
	return []validator.String{
		stringvalidator.LengthAtMost(maxFunctionName),
		stringvalidator.RegexMatches(functionName,
			"a function name holds lower-case letters, digits and hyphens, and begins and ends with a letter or digit"),
	}
}

// variables bounds the keys and values of environment variables.
func variables(maxValue int) []validator.Map {
	return []validator.Map{
		mapvalidator.KeysAre(stringvalidator.LengthBetween(1, maxVariableKey), variableName()),
		mapvalidator.ValueStringsAre(atMostBytes(maxValue)),
	}
}

var variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// variableName wants a name that the service takes: others would be refused when
// the plan is carried out, with half of it done. A name of the wrong length is
// complained of once.
func variableName() validator.String {
	return textValidator{
		description: "a letter or _, then letters, digits, _, . and -, and not SCW_ at the beginning",
		summary:     "Invalid variable name",
		fault: func(text string) string {
			switch {
			case text == "":
			case strings.HasPrefix(text, "SCW_"):
				return quoted(text) + " begins with SCW_, which the service keeps for the variables that it sets itself: choose another name."
			case !variablePattern.MatchString(text):
				return quoted(text) + " is no name of a variable: begin with a letter or _, and go on with letters, digits, _, . and -."
			}
			return ""
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

// atMostBytes bounds a value without repeating it in its message.
func atMostBytes(limit int) validator.String {
	bound := strconv.Itoa(limit)
	return textValidator{
		description: "at most " + bound + " characters",
		summary:     "Value too long",
		fault: func(text string) string {
			if length := utf8.RuneCountInString(text); length > limit {
				return "The value has " + strconv.Itoa(length) + " characters and the service takes at most " + bound + ": shorten it."
			}
			return ""
		},
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
