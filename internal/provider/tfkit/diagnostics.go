package tfkit

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// AddError reports a call that failed: what was to be done, what went wrong
// where, and what the user can do about it.
func (b *Backend) AddError(diags *diag.Diagnostics, summary string, err error) {
	addErrorAt(diags, client.RefusedArgument(err), summary, JoinSentences(Sentence(err), b.Advice(err)))
}

// AddCreateError reports an object that could not be made. Reference is the
// attribute that names what it belongs to, and name the one that may be taken;
// each is "" where there is none.
func (b *Backend) AddCreateError(diags *diag.Diagnostics, summary string, err error, reference, name string) {
	switch {
	case client.IsNotFound(err) && reference != "":
		addErrorAt(diags, reference, summary, JoinSentences(Sentence(err),
			"What "+reference+" names was deleted, or is in another region or project: correct "+reference+"."))
	case client.IsConflict(err) && name != "":
		addErrorAt(diags, name, summary, JoinSentences(Sentence(err),
			"If the "+name+" is taken, write another one, or bring what has it into the state with terraform import."))
	default:
		b.AddError(diags, summary, err)
	}
}

// addErrorAt reports an error of an attribute, or of the whole where that is "".
func addErrorAt(diags *diag.Diagnostics, attribute, summary, detail string) {
	if attribute == "" {
		diags.AddError(summary, detail)
		return
	}
	diags.AddAttributeError(path.Root(attribute), summary, detail)
}

func (b *Backend) Advice(err error) string {
	switch {
	case client.IsUnauthorized(err):
		return "The server at " + b.URL() + " does not know the secret key. " + b.KeySources() +
			" Correct it there, or have SCW_API_URL or api_url name the server that the key is from."
	case client.IsQuotaExceeded(err):
		return "Remove what is not needed any more, or have the quota raised."
	case client.IsForbidden(err):
		return "The key may not do this: use one with rights on functions in the project. " + b.KeySources()
	case client.IsUnreachable(err):
		return "Nothing answers at " + b.URL() + ": check SCW_API_URL and api_url, and that the server runs."
	case errors.Is(err, context.Canceled):
		return "The run was interrupted. What it has made is in the state: apply again to go on."
	case errors.Is(err, context.DeadlineExceeded):
		return "It may still get there: look again later, or give it more time in the resource's timeouts block."
	default:
		return ""
	}
}

// sdkPrefix is what the SDK writes before each error of a call, which says
// nothing.
const sdkPrefix = "scaleway-sdk-go: error executing request: "

// firstWord is a word that an error begins with, unlike a name of the user's own.
var firstWord = regexp.MustCompile(`^[a-z]+ `)

// Sentence writes an error as a sentence of its own. What the user has named, such as
// a file, keeps its case.
func Sentence(err error) string {
	text := strings.TrimSpace(strings.Replace(err.Error(), sdkPrefix, "", 1))
	if firstWord.MatchString(text) {
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

func JoinSentences(sentences ...string) string {
	var said []string
	for _, s := range sentences {
		if s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}
