package node_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

var language = runtimetest.Language{
	Name: runtime.Node, File: "handler.js", Handler: "handler.handle", Worker: node.Worker(),
	Builder: func(tb testing.TB) runtime.Builder { return node.New(runtimetest.Toolchains(tb)) },
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

func TestBootstrap_MapsRequestsToEvents(t *testing.T) {
	t.Parallel()
	language.TestEvents(t, "handler.echo", shared)
}

func TestBootstrap_MapsResultsToResponses(t *testing.T) {
	t.Parallel()
	language.TestResults(t, "handler.respond", shared)
}

func TestBootstrap_EndsAfterItsCall(t *testing.T) {
	t.Parallel()
	language.TestTermination(t, "handler.slow", shared)
}

func TestBootstrap_CallsHandlers(t *testing.T) {
	t.Parallel()
	language.TestHandlers(t, map[string]runtimetest.Handling{
		"exported object": {
			Files: map[string]string{"handler.js": `module.exports = { handle: () => "common" };`}, Body: "common",
		},
		"module by its package": {
			Files: map[string]string{
				"package.json": `{"type":"module"}`, "handler.js": `export const handle = () => "module";`,
			}, Body: "module",
		},
		"module by its extension": {
			Files: map[string]string{"handler.mjs": `export function handle() { return "mjs"; }`}, Body: "mjs",
		},
		"default export": {
			Files: map[string]string{"handler.mjs": `export default { handle: () => "default" };`}, Body: "default",
		},
		"module with top-level await": {
			Files: map[string]string{
				"handler.mjs": `const text = await Promise.resolve("waited"); export const handle = () => text;`,
			}, Body: "waited",
		},
		"CommonJS file in a package of modules": {
			Files: map[string]string{
				"package.json": `{"type":"module"}`, "handler.cjs": `exports.handle = () => "cjs";`,
			}, Body: "cjs",
		},
		"nearest package.json": {
			Handler: "src/handler.handle",
			Files: map[string]string{
				"package.json": `{"type":"module"}`, "src/package.json": `{}`,
				"src/handler.js": `exports.handle = () => "nearest";`,
			}, Body: "nearest",
		},
		"other file and installed module": {
			Handler: "src/handler.handle",
			Files: map[string]string{
				"src/handler.js":             `const one = require("./one"), two = require("two"); exports.handle = () => one + two;`,
				"src/one.js":                 `module.exports = "one";`,
				"node_modules/two/index.js":  `module.exports = "two";`,
				"node_modules/.bin/whatever": "",
			}, Body: "onetwo",
		},
		"name with dots": {
			Handler: "my.handler.handle",
			Files:   map[string]string{"my.handler.js": `exports.handle = () => "dots";`}, Body: "dots",
		},
		"promise": {
			Files:  map[string]string{"handler.js": `exports.handle = () => Promise.resolve({ statusCode: 201, body: "later" });`},
			Status: 201, Body: "later",
		},
		"callback": {
			Files: map[string]string{
				"handler.js": `exports.handle = (event, context, callback) => { setTimeout(() => callback(undefined, { body: "called" }), 5); };`,
			}, Body: "called",
		},
		"immediate callback": {
			Files: map[string]string{
				"handler.js": `exports.handle = async (event, context, callback) => { callback(null, "first"); return "second"; };`,
			}, Body: "first",
		},
		"callback with a default":                         {Files: map[string]string{"handler.js": `exports.handle = (event, context, callback = () => {}) => { setTimeout(() => callback(null, "default"), 5); };`}, Body: "default"},
		"callback after a default":                        {Files: map[string]string{"handler.js": `exports.handle = (event, context = { a: [1, "("] }, callback) => { setTimeout(() => callback(null, "behind"), 5); };`}, Body: "behind"},
		"callback in rest parameters":                     {Files: map[string]string{"handler.js": `exports.handle = (event, ...rest) => { setTimeout(() => rest[1](null, "rest"), 5); };`}, Body: "rest"},
		"callback in all rest parameters":                 {Files: map[string]string{"handler.js": `exports.handle = function (...all) { setTimeout(() => all[2](null, "all"), 5); };`}, Body: "all"},
		"callback in arguments":                           {Files: map[string]string{"handler.js": `exports.handle = function () { const callback = arguments[2]; setTimeout(() => callback(null, "arguments"), 5); };`}, Body: "arguments"},
		"callback of a method":                            {Files: map[string]string{"handler.js": `exports.handle = ({ handle(event, { a }, callback = null) { setTimeout(() => callback(null, "method"), 5); } }).handle;`}, Body: "method"},
		"no callback with a default":                      {Files: map[string]string{"handler.js": `exports.handle = (event, context = (a, b, c) => {}) => { const text = "arguments"; /* arguments */ };`}, Body: ""},
		"no callback with arguments of an inner function": {Files: map[string]string{"handler.js": `exports.handle = function (event) { (function () { return arguments.length; })(); };`}, Body: ""},
		"no callback with one parameter":                  {Files: map[string]string{"handler.js": `exports.handle = event => { (function (a, b, c) {})(); };`}, Body: ""},
		"no callback by a bound function":                 {Files: map[string]string{"handler.js": `exports.handle = (function (event) {}).bind(null);`}, Body: ""},
		"error for the callback": {
			Files: map[string]string{
				"handler.js": `exports.handle = (event, context, callback) => { callback(new Error("called back")); };`,
			}, Status: 500, Body: "An error occured during handler execution: called back\n",
		},
		"no result": {Files: map[string]string{"handler.js": `exports.handle = () => {};`}},
		"exception": {
			Files:  map[string]string{"handler.js": `exports.handle = () => { throw new Error("thrown"); };`},
			Status: 500, Body: "An error occured during handler execution: thrown\n",
		},
		"exception that is text": {
			Files:  map[string]string{"handler.js": `exports.handle = async () => { throw "text"; };`},
			Status: 500, Body: "An error occured during handler execution: text\n",
		},
		"buffer": {
			Files: map[string]string{"handler.js": `exports.handle = () => ({ body: Buffer.from([0xff, 0x00]) });`}, Body: "\xff\x00",
		},
		"circular object": {
			Files: map[string]string{
				"handler.js": `exports.handle = () => { const a = {}; a.a = a; return a; };`,
			}, Status: 500, Body: "*",
		},
		"code sample": {
			Files: map[string]string{"handler.js": runtimetest.CodeSample(t, "node26")}, Body: `{"message":"Hello, World!"}`,
		},
	})
}

// The server may have been started in a project with a package.json.
func TestBuild_IgnoresPackageAboveTheOutput(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{"handler.js": `exports.handle = () => "common";`})
	other := filepath.Join(filepath.Dir(built.Dir), "package.json")
	if err := os.WriteFile(other, []byte(`{"type":"module"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "common" {
		t.Errorf("got %+v, want common", got)
	}
}

func TestBootstrap_ExplainsStartFailures(t *testing.T) {
	t.Parallel()
	language.TestStartFailures(t, map[string]runtimetest.StartFailure{
		"missing module":           {Code: `require("no-such-module")`, Want: "Error: Cannot find module 'no-such-module'"},
		"exception":                {Code: `throw new TypeError("at load\nand more")`, Want: "TypeError: at load"},
		"exception of a class":     {Code: `class Missing extends Error {}; throw new Missing("at load")`, Want: "Missing: at load"},
		"exception that is text":   {Code: `throw "at load"`, Want: "Uncaught at load"},
		"syntax error in a module": {Code: `require("vm").runInThisContext("return (;")`, Want: "SyntaxError: Illegal return statement"},
		"missing function":         {Code: `exports.other = () => {}`, Want: `Error: Provided Handler does not exist, or does not export methods properly. No function "handle", but: other`},
		"not a function":           {Code: `exports.handle = 3`, Want: `Error: Provided Handler does not exist, or does not export methods properly. No function "handle", but: handle`},
	})
}

func TestBuild_ExplainsErrors(t *testing.T) {
	t.Parallel()
	language.TestBuildFailures(t, map[string]runtimetest.BuildFailure{
		"no file": {
			Files: map[string]string{"index.js": ""},
			Want:  []string{"there is no handler.js or handler.mjs or handler.cjs in the archive"},
		},
		"folder around the files": {
			Files: map[string]string{"project/handler.js": ""},
			Want:  []string{"in its folder project", "not the folder"},
		},
		"folder instead of the file": {
			Files: map[string]string{"handler.js/x": ""},
			Want:  []string{"there is no handler.js"},
		},
		"syntax error": {
			Files: map[string]string{"handler.js": "exports.handle = () => {\n  return (;\n};\n"},
			Want:  []string{"the code has a syntax error", "handler.js:2", "return (;", "SyntaxError"},
		},
		"syntax error in a module": {
			Files: map[string]string{"handler.mjs": "export const handle = ;\n"},
			Want:  []string{"the code has a syntax error", "handler.mjs:1", "SyntaxError"},
		},
	})
}
