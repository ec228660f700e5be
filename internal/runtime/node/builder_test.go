package node_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func build(t *testing.T, handler string, files map[string]string) runtimetest.Built {
	t.Helper()
	return runtimetest.Build(t, node.New(runtimetest.Toolchains(t)), runtime.Node, handler, files)
}

const shared = `
exports.echo = (event, context) => ({ statusCode: 200, body: JSON.stringify({ event, context }) });
exports.respond = (event) => JSON.parse(event.body);
exports.slow = async () => {
  console.log("begun");
  await new Promise((resolve) => setTimeout(resolve, 300));
  return "finished";
};
`

func TestEvents(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.echo", map[string]string{"handler.js": shared})
	runtimetest.InBothWays(t, node.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestEvents(t, way.Start(t, built, runtimetest.ContextEnv()...))
	})
}

func TestResults(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.respond", map[string]string{"handler.js": shared})
	runtimetest.InBothWays(t, node.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestResults(t, way.Start(t, built))
	})
}

func TestTermination(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.slow", map[string]string{"handler.js": shared})
	runtimetest.InBothWays(t, node.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestTermination(t, way, built)
	})
}

func TestHandlers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handler string
		files   map[string]string
		status  int
		body    string
	}{
		"an object that is exported": {
			files: map[string]string{"handler.js": `module.exports = { handle: () => "common" };`}, body: "common",
		},
		"a module by its package": {
			files: map[string]string{
				"package.json": `{"type":"module"}`, "handler.js": `export const handle = () => "module";`,
			}, body: "module",
		},
		"a module by its extension": {
			files: map[string]string{"handler.mjs": `export function handle() { return "mjs"; }`}, body: "mjs",
		},
		"a default export": {
			files: map[string]string{"handler.mjs": `export default { handle: () => "default" };`}, body: "default",
		},
		"a module that waits": {
			files: map[string]string{
				"handler.mjs": `const text = await Promise.resolve("waited"); export const handle = () => text;`,
			}, body: "waited",
		},
		"common in a package of modules": {
			files: map[string]string{
				"package.json": `{"type":"module"}`, "handler.cjs": `exports.handle = () => "cjs";`,
			}, body: "cjs",
		},
		"the nearest package": {
			handler: "src/handler.handle",
			files: map[string]string{
				"package.json": `{"type":"module"}`, "src/package.json": `{}`,
				"src/handler.js": `exports.handle = () => "nearest";`,
			}, body: "nearest",
		},
		"a file beside and a module below": {
			handler: "src/handler.handle",
			files: map[string]string{
				"src/handler.js":             `const one = require("./one"), two = require("two"); exports.handle = () => one + two;`,
				"src/one.js":                 `module.exports = "one";`,
				"node_modules/two/index.js":  `module.exports = "two";`,
				"node_modules/.bin/whatever": "",
			}, body: "onetwo",
		},
		"a file with dots": {
			handler: "my.handler.handle",
			files:   map[string]string{"my.handler.js": `exports.handle = () => "dots";`}, body: "dots",
		},
		"a promise": {
			files:  map[string]string{"handler.js": `exports.handle = () => Promise.resolve({ statusCode: 201, body: "later" });`},
			status: 201, body: "later",
		},
		"a callback": {
			files: map[string]string{
				"handler.js": `exports.handle = (event, context, callback) => { setTimeout(() => callback(undefined, { body: "called" }), 5); };`,
			}, body: "called",
		},
		"a callback at once": {
			files: map[string]string{
				"handler.js": `exports.handle = async (event, context, callback) => { callback(null, "first"); return "second"; };`,
			}, body: "first",
		},
		"an error for the callback": {
			files: map[string]string{
				"handler.js": `exports.handle = (event, context, callback) => { callback(new Error("called back")); };`,
			}, status: 500, body: "An error occured during handler execution: called back\n",
		},
		"nothing": {files: map[string]string{"handler.js": `exports.handle = () => {};`}},
		"a throw": {
			files:  map[string]string{"handler.js": `exports.handle = () => { throw new Error("thrown"); };`},
			status: 500, body: "An error occured during handler execution: thrown\n",
		},
		"a throw of text": {
			files:  map[string]string{"handler.js": `exports.handle = async () => { throw "text"; };`},
			status: 500, body: "An error occured during handler execution: text\n",
		},
		"a buffer": {
			files: map[string]string{"handler.js": `exports.handle = () => ({ body: Buffer.from([0xff, 0x00]) });`}, body: "\xff\x00",
		},
		"a circle": {
			files: map[string]string{
				"handler.js": `exports.handle = () => { const a = {}; a.a = a; return a; };`,
			}, status: 500, body: "*",
		},
		"the code sample": {
			files: map[string]string{"handler.js": sample(t)}, body: `{"message":"Hello, World!"}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.handler == "" {
				test.handler = "handler.handle"
			}
			if test.status == 0 {
				test.status = http.StatusOK
			}
			built := build(t, test.handler, test.files)
			runtimetest.InBothWays(t, node.Worker(), func(t *testing.T, way runtimetest.Way) {
				got := way.Start(t, built).Do(t, runtimetest.Call{})
				if got.Status != test.status || got.Body != test.body && test.body != "*" {
					t.Errorf("answer is %d %q, want %d %q", got.Status, got.Body, test.status, test.body)
				}
			})
		})
	}
}

func sample(t *testing.T) string {
	t.Helper()
	r, ok := runtime.Lookup("node26")
	if !ok {
		t.Fatal("there is no runtime node26")
	}
	return r.CodeSample
}

// TestStrangersPackage asks that a package.json above the output, such as that of
// a project in which the server was started, does not decide how code is loaded.
func TestStrangersPackage(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.handle", map[string]string{"handler.js": `exports.handle = () => "common";`})
	stranger := filepath.Join(filepath.Dir(built.Dir), "package.json")
	if err := os.WriteFile(stranger, []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "common" {
		t.Errorf("answer is %+v, want common", got)
	}
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, want string }{
		"a missing module":   {`require("no-such-module")`, "Cannot find module 'no-such-module'"},
		"a throw":            {`throw new Error("at load")`, "at load"},
		"no such function":   {`exports.other = () => {}`, `No function "handle", but: other`},
		"no function at all": {`exports.handle = 3`, `No function "handle", but: handle`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := build(t, "handler.handle", map[string]string{"handler.js": test.file})
			runtimetest.InBothWays(t, node.Worker(), func(t *testing.T, way runtimetest.Way) {
				status, output := way.StartFails(t, built)
				lines := strings.Split(strings.TrimSpace(output), "\n")
				if last := lines[len(lines)-1]; status != 1 || !strings.Contains(last, test.want) {
					t.Errorf("ended with %d and the last line %q, want 1 and %q", status, last, test.want)
				}
			})
		})
	}
}

func TestBuildFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"no file": {
			files: map[string]string{"index.js": ""},
			want:  []string{"there is no handler.js or handler.mjs or handler.cjs in the archive"},
		},
		"a folder around the files": {
			files: map[string]string{"project/handler.js": ""},
			want:  []string{"in its folder project", "not the folder"},
		},
		"a folder in place of the file": {
			files: map[string]string{"handler.js/x": ""},
			want:  []string{"there is no handler.js"},
		},
		"a syntax error": {
			files: map[string]string{"handler.js": "exports.handle = () => {\n  return (;\n};\n"},
			want:  []string{"the code has a syntax error", "handler.js:2", "return (;", "SyntaxError"},
		},
		"a syntax error in a module": {
			files: map[string]string{"handler.mjs": "export const handle = ;\n"},
			want:  []string{"the code has a syntax error", "handler.mjs:1", "SyntaxError"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := runtimetest.BuildFails(t, node.New(runtimetest.Toolchains(t)), runtime.Node, "handler.handle", test.files)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("message is %q, want it to have %q", message, want)
				}
			}
		})
	}
}
