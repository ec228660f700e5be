package runtime

import "github.com/jeton-dev/jeton/internal/grammar"

// A Handler is where in an archive the function to call is.
type Handler = grammar.Handler

// ParseHandler reads a handler's name for a language, as grammar.ParseHandler does.
func ParseHandler(language, text string) (Handler, error) {
	return grammar.ParseHandler(language, text)
}
