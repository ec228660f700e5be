package grammar_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/grammar"
)

func TestParseHandler_AcceptsDocumentedForms(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		language, text string
		want           grammar.Handler
	}{
		"node":               {grammar.Node, "handler.handle", grammar.Handler{File: "handler", Function: "handle"}},
		"node in a folder":   {grammar.Node, "src/my-fn/a.b.$run", grammar.Handler{Dir: "src/my-fn", File: "a.b", Function: "$run"}},
		"python":             {grammar.Python, "handler.handle", grammar.Handler{File: "handler", Function: "handle"}},
		"python with digits": {grammar.Python, "v2/h_1.f_2", grammar.Handler{Dir: "v2", File: "h_1", Function: "f_2"}},
		"php":                {grammar.PHP, "src/handler.handle", grammar.Handler{Dir: "src", File: "handler", Function: "handle"}},
		"go":                 {grammar.Go, "Handle", grammar.Handler{Function: "Handle"}},
		"go in a folder":     {grammar.Go, "sub/Handle", grammar.Handler{Dir: "sub", Function: "Handle"}},
		"the oldest go":      {grammar.Go, ".", grammar.Handler{Function: "Handle"}},
		"rust":               {grammar.Rust, "sub/handle", grammar.Handler{Dir: "sub", Function: "handle"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := grammar.ParseHandler(test.language, test.text)
			if err != nil || got != test.want {
				t.Errorf("ParseHandler(%q): got %+v, %v, want %+v", test.text, got, err, test.want)
			}
		})
	}
}

func TestParseHandler_RefusesOtherForms(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", grammar.MaxHandlerBytes)
	tests := map[string][]string{
		grammar.Node: {
			"", ".", "handle", "handler.", ".handle", "a.b.", "handler.2x", "handler.a-b", "handler.handle()", "handler.han dle",
			"../../etc/passwd.x", "/handler.handle", "a/../b.c", "./handler.handle", "a//b.c", `a\b.c`, "a/b\x00.c", "a/\xff.c",
			"a:b.c", "a/b.c/", "sub/", "..handle", "...handle", long + ".handle",
		},
		grammar.Python: {"handler", "handler.$handle", "..", "../handler.handle"},
		grammar.Go:     {"", "handle", "handler.Handle", "sub/.", "..", "../Handle", "Handle ", "/Handle", "sub/", "func", long + "H"},
		grammar.Rust:   {"", "a.b", "2x", "../handle"},
		"Cobol":        {"HANDLE"},
	}
	for language, texts := range tests {
		for _, text := range texts {
			if got, err := grammar.ParseHandler(language, text); err == nil || got != (grammar.Handler{}) {
				t.Errorf("ParseHandler(%s, %q): got %+v, %v, want an error", language, text, got, err)
			}
		}
	}
}

// FuzzParseHandler checks that no handler refers to a file outside of the archive, and
// that the parts of a parsed handler join to the original text.
func FuzzParseHandler(f *testing.F) {
	for _, text := range []string{"handler.handle", "a/b.c", "Handle", "sub/Handle", ".", "../x.y", "a/./b.c", "a\\b.c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, language := range []string{grammar.Node, grammar.Python, grammar.PHP, grammar.Go, grammar.Rust} {
			h, err := grammar.ParseHandler(language, text)
			if err != nil || text == "." {
				continue
			}
			joined := h.Function
			if h.File != "" {
				joined = h.File + "." + h.Function
			}
			joined = path.Join(h.Dir, joined)
			if joined != text {
				t.Errorf("ParseHandler(%s, %q): got %+v, which joins to %q", language, text, h, joined)
			}
			if file := path.Join(h.Dir, h.File+".x"); !filepath.IsLocal(file) {
				t.Errorf("ParseHandler(%s, %q): got %+v, which is outside of the archive", language, text, h)
			}
		}
	})
}
