package runtime_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
)

func TestParseHandler(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		language, text string
		want           runtime.Handler
	}{
		"node":               {runtime.Node, "handler.handle", runtime.Handler{File: "handler", Function: "handle"}},
		"node in a folder":   {runtime.Node, "src/my-fn/a.b.$run", runtime.Handler{Dir: "src/my-fn", File: "a.b", Function: "$run"}},
		"python":             {runtime.Python, "handler.handle", runtime.Handler{File: "handler", Function: "handle"}},
		"python with digits": {runtime.Python, "v2/h_1.f_2", runtime.Handler{Dir: "v2", File: "h_1", Function: "f_2"}},
		"php":                {runtime.PHP, "src/handler.handle", runtime.Handler{Dir: "src", File: "handler", Function: "handle"}},
		"go":                 {runtime.Go, "Handle", runtime.Handler{Function: "Handle"}},
		"go in a folder":     {runtime.Go, "sub/Handle", runtime.Handler{Dir: "sub", Function: "Handle"}},
		"the oldest go":      {runtime.Go, ".", runtime.Handler{Function: "Handle"}},
		"rust":               {runtime.Rust, "sub/handle", runtime.Handler{Dir: "sub", Function: "handle"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := runtime.ParseHandler(test.language, test.text)
			if err != nil || got != test.want {
				t.Errorf("ParseHandler(%q) = %+v, %v, want %+v", test.text, got, err, test.want)
			}
		})
	}
}

func TestParseHandlerRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", runtime.MaxHandlerBytes)
	tests := map[string][]string{
		runtime.Node: {
			"", ".", "handle", "handler.", ".handle", "a.b.", "handler.2x", "handler.a-b", "handler.handle()", "handler.han dle",
			"../../etc/passwd.x", "/handler.handle", "a/../b.c", "./handler.handle", "a//b.c", `a\b.c`, "a/b\x00.c", "a/\xff.c",
			"a:b.c", "a/b.c/", "sub/", "..handle", "...handle", long + ".handle",
		},
		runtime.Python: {"handler", "handler.$handle", "..", "../handler.handle"},
		runtime.Go:     {"", "handle", "handler.Handle", "sub/.", "..", "../Handle", "Handle ", "/Handle", "sub/", "func", long + "H"},
		runtime.Rust:   {"", "a.b", "2x", "../handle"},
		"Cobol":        {"HANDLE"},
	}
	for language, texts := range tests {
		for _, text := range texts {
			if got, err := runtime.ParseHandler(language, text); err == nil || got != (runtime.Handler{}) {
				t.Errorf("ParseHandler(%s, %q) = %+v, %v, want an error", language, text, got, err)
			}
		}
	}
}

// FuzzParseHandler asks that no handler leads out of the archive, and that what
// was read is what was written.
func FuzzParseHandler(f *testing.F) {
	for _, text := range []string{"handler.handle", "a/b.c", "Handle", "sub/Handle", ".", "../x.y", "a/./b.c", "a\\b.c"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, language := range []string{runtime.Node, runtime.Python, runtime.PHP, runtime.Go, runtime.Rust} {
			h, err := runtime.ParseHandler(language, text)
			if err != nil || text == "." {
				continue
			}
			written := h.Function
			if h.File != "" {
				written = h.File + "." + h.Function
			}
			written = path.Join(h.Dir, written)
			if written != text {
				t.Errorf("ParseHandler(%s, %q) = %+v, which is %q", language, text, h, written)
			}
			if file := path.Join(h.Dir, h.File+".x"); !filepath.IsLocal(file) {
				t.Errorf("ParseHandler(%s, %q) = %+v, which leads out", language, text, h)
			}
		}
	})
}
