package source_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/source"
)

func TestDetect_FindsLanguageAndHandler(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files     map[string]string
		languages []string
		ambiguous bool
		handlers  []string
		several   bool
	}{
		"node": {
			files:     map[string]string{"package.json": "{}", "handler.js": "module.exports.handle = () => 1\nexports.other = 2\n", "handler.test.js": "exports.handle = 1"},
			languages: []string{"Node"}, handlers: []string{"handler.handle", "handler.other"},
		},
		"es module":     {files: map[string]string{"index.mjs": "export async function handler(event) {}\n"}, languages: []string{"Node"}, handlers: []string{"index.handler"}},
		"exported name": {files: map[string]string{"a.cjs": "module.exports = { handle }\n"}, languages: []string{"Node"}, handlers: []string{"a.handle"}},
		"python": {
			files:     map[string]string{"requirements.txt": "", "app.py": "def helper(x): pass\ndef handle(event, context):\n  def inner(): pass\n"},
			languages: []string{"Python"}, handlers: []string{"app.handle", "app.helper"},
		},
		"php":  {files: map[string]string{"handler.php": "<?php\nfunction handle($event, $context) {}\n"}, languages: []string{"PHP"}, handlers: []string{"handler.handle"}},
		"go":   {files: map[string]string{"go.mod": "module x", "x.go": "package x\nfunc Serve(w http.ResponseWriter, r *http.Request) {}\nfunc Other() {}\n", "x_test.go": "func Test(w http.ResponseWriter, t T) {}"}, languages: []string{"Go"}, handlers: []string{"Serve"}},
		"rust": {files: map[string]string{"Cargo.toml": "", "src/handler.rs": "pub async fn handle(r: Request<Body>) {}\n"}, languages: []string{"Rust"}, handlers: []string{"handle"}},
		"two handlers": {
			files:     map[string]string{"one.js": "exports.handle = 1\n", "two.js": "exports.handle = 2\n"},
			languages: []string{"Node"}, handlers: []string{"one.handle", "two.handle"}, several: true,
		},
		"two languages": {
			files:     map[string]string{"a.py": "def handle(e, c): pass\n", "b.js": "exports.handle = 1\n"},
			languages: []string{"Node", "Python"}, ambiguous: true, handlers: []string{"b.handle"},
		},
		"marker decides": {
			files:     map[string]string{"go.mod": "module x", "x.go": "package x\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n", "tool.py": "def handle(e, c): pass\n"},
			languages: []string{"Go", "Python"}, handlers: []string{"Handle"},
		},
		"no code": {files: map[string]string{"README.md": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := source.Detect(folder(t, test.files))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Languages, test.languages) || got.Ambiguous != test.ambiguous {
				t.Errorf("got languages %v, ambiguous %v, want %v, %v", got.Languages, got.Ambiguous, test.languages, test.ambiguous)
			}
			if !slices.Equal(got.Handlers, test.handlers) || got.HandlersAmbiguous != test.several {
				t.Errorf("got handlers %v, ambiguous %v, want %v, %v", got.Handlers, got.HandlersAmbiguous, test.handlers, test.several)
			}
		})
	}
}

func TestLocate_FindsTheLine(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"handler.js": "one\n  two()\n", "lib/util.py": "a\nb\nc\n", "main.go": "x\n"})
	for message, want := range map[string]string{
		"at handle (/home/app/function/handler.js:2:7)":         "handler.js:2 | two()",
		`File "/home/app/function/lib/util.py", line 3, in f`:   "lib/util.py:3 | c",
		"PHP Fatal error in /home/app/function/x.php on line 1": "",
		"./main.go:1:2: undefined: x":                           "main.go:1 | x",
		"SyntaxError: Unexpected token (handler.js:1)":          "handler.js:1 | one",
		"/home/app/function/missing.js:1 then lib/util.py:1":    "lib/util.py:1 | a",
		"/home/app/function/../../etc/x.py:1":                   "",
		"handler.js:99":                                         "",
		"handler.js:99999999999999999999999":                    "",
		"an error occurred: nothing named":                      "",
	} {
		got, ok := source.Locate(dir, message)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("Locate(%q): got %v, %v, want %q", message, got, ok, want)
		}
	}
}
