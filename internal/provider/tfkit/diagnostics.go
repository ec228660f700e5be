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

// AddError adds the error of an API call, with advice for the user. It is added to the
// argument that the service refused, if the error names one.
func (b *Backend) AddError(diags *diag.Diagnostics, summary string, err error) {
	addErrorAt(diags, client.RefusedArgument(err), summary, b.Detail(err))
}

// AddCreateError adds the error of a call that creates an object. Reference is the
// argument with the ID of its parent, and name the argument that must be unique; each
// is "" if there is none.
func (b *Backend) AddCreateError(diags *diag.Diagnostics, summary string, err error, reference, name string) {
	switch {
	case client.IsNotFound(err) && reference != "":
		addErrorAt(diags, reference, summary, Sentence(err)+
			" The object in "+reference+" was deleted, or is in another region or project: correct "+reference+".")
	case client.IsConflict(err) && name != "":
		addErrorAt(diags, name, summary, Sentence(err)+
			" If the "+name+" is already in use, choose another one, or import the existing object with terraform import.")
	default:
		b.AddError(diags, summary, err)
	}
}

// addErrorAt adds an error to an attribute, or to the whole object if attribute is "".
func addErrorAt(diags *diag.Diagnostics, attribute, summary, detail string) {
	if attribute == "" {
		diags.AddError(summary, detail)
		return
	}
	diags.AddAttributeError(path.Root(attribute), summary, detail)
}

// Detail returns the error of an API call as a sentence, followed by advice if there is
// any.
func (b *Backend) Detail(err error) string {
	if advice := b.advice(err); advice != "" {
		return Sentence(err) + " " + advice
	}
	return Sentence(err)
}

func (b *Backend) advice(err error) string {
	switch {
	case client.IsUnauthorized(err):
		return "The API at " + b.URL() + " does not accept the secret key. " + b.KeySources() +
			" Correct the key there, or set SCW_API_URL or api_url to the server that issued it."
	case client.IsQuotaExceeded(err):
		return "Delete objects that are no longer needed, or request a higher quota."
	case client.IsForbidden(err):
		return "The API key does not have the required permissions: use a key with permissions on functions in this project. " + b.KeySources()
	case client.IsUnreachable(err):
		return "No server answers at " + b.URL() + ": check SCW_API_URL and api_url, and that the server is running."
	case errors.Is(err, context.Canceled):
		return "The run was interrupted. The state contains what was created: apply again to continue."
	case errors.Is(err, context.DeadlineExceeded):
		return "The operation may still complete: apply again later, or raise the limit in the timeouts block."
	default:
		return ""
	}
}

// sdkPrefix is a prefix of the SDK's errors without information for the user.
const sdkPrefix = "scaleway-sdk-go: error executing request: "

// firstWord matches an error that begins with a word, and not with a file name.
var firstWord = regexp.MustCompile(`^[a-z]+ `)

// Sentence returns an error as a sentence, with a capital letter and a full stop. A
// name at the beginning, such as that of a file, keeps its case.
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

// Reason returns ": " and the service's message about an object, or "" if there is no
// message.
func Reason(message *string) string {
	if message == nil || *message == "" {
		return ""
	}
	return ": " + *message
}
