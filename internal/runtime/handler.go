package runtime

import "github.com/jeton-dev/jeton/internal/grammar"

// A Handler locates the function to call within an archive.
type Handler = grammar.Handler

// ParseHandler parses the handler of a function in a language. See grammar.ParseHandler.
func ParseHandler(language, text string) (Handler, error) {
	return grammar.ParseHandler(language, text)
}
