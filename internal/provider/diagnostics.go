package provider

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// addError reports a call that failed: what was to be done, what went wrong
// where, and what the user can do about it.
func (b *backend) addError(diags *diag.Diagnostics, summary string, err error) {
	diags.AddError(summary, joinSentences(sentence(err), b.advice(err)))
}

func (b *backend) advice(err error) string {
	switch {
	case client.IsUnauthorized(err):
		return "The server at " + b.URL() + " does not know the secret key. " + b.Keys() +
			" Correct it there, or have SCW_API_URL or api_url name the server that the key is from."
	case client.IsForbidden(err):
		return "The key may not do this: use one with rights on functions in the project. " + b.Keys()
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

// sentence writes an error as a sentence of its own.
func sentence(err error) string {
	text := strings.TrimSpace(err.Error())
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

func joinSentences(sentences ...string) string {
	var said []string
	for _, s := range sentences {
		if s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, " ")
}
