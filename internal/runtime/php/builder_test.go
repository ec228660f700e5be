package php_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

var language = runtimetest.Language{
	Name: runtime.PHP, File: "handler.php", Handler: "handler.handle", Worker: php.Worker(),
	Builder: func(tb testing.TB) runtime.Builder {
		return php.New(php.Config{}, runtimetest.Toolchains(tb))
	},
}

const shared = `<?php
function echoed($event, $context) {
    // An empty array of PHP is an object in the table of events.
    $body = json_encode(["event" => $event, "context" => $context], JSON_FORCE_OBJECT | JSON_THROW_ON_ERROR);
    return ["statusCode" => 200, "body" => $body];
}
function respond($event, $context) { return json_decode($event["body"], true); }
function slow($event, $context) {
    echo "begun\n";
    $until = microtime(true) + 0.3;
    while (microtime(true) < $until) usleep(1000);
    return "finished";
}
`

func TestBootstrap_MapsRequestsToEvents(t *testing.T) {
	t.Parallel()
	language.TestEvents(t, "handler.echoed", shared)
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
		"other files": {
			Handler: "src/handler.handle",
			Files: map[string]string{
				"src/handler.php": "<?php require 'near.php'; require_once __DIR__ . '/../far.php'; function handle($e, $c) { return near() . far(); }",
				"src/near.php":    "<?php function near() { return 'near'; }",
				"far.php":         "<?php function far() { return 'far'; }",
			}, Body: "nearfar",
		},
		"vendor folder": {
			Files: map[string]string{
				"handler.php":         "<?php function handle($e, $c) { return Some\\text(); }",
				"composer.json":       `{"require":{"no/such":"^1"}}`,
				"vendor/autoload.php": "<?php namespace Some; function text() { return 'vendored'; }",
			}, Body: "vendored",
		},
		"vendor folder that is loaded twice": {
			Files: map[string]string{
				"handler.php":         "<?php require_once __DIR__ . '/vendor/autoload.php'; function handle($e, $c) { return text(); }",
				"vendor/autoload.php": "<?php function text() { return 'once'; }",
			}, Body: "once",
		},
		"globals": {
			Files: map[string]string{"handler.php": "<?php $text = 'global'; function handle($e, $c) { global $text; return $text; }"}, Body: "global",
		},
		"name with dots and dashes": {
			Handler: "my-own.handler.handle",
			Files:   map[string]string{"my-own.handler.php": "<?php function handle($e, $c) { return 'dots'; }"}, Body: "dots",
		},
		"bytes": {
			Files: map[string]string{"handler.php": "<?php function handle($e, $c) { return ['body' => \"\\xff\\x00\"]; }"}, Body: "\xff\x00",
		},
		"object": {
			Files: map[string]string{"handler.php": "<?php function handle($e, $c) { return (object) ['statusCode' => 201, 'body' => new stdClass]; }"}, Status: 201, Body: "{}",
		},
		"nothing": {Files: map[string]string{"handler.php": "<?php function handle($e, $c) {}"}},
		"notice":  {Files: map[string]string{"handler.php": "<?php function handle($e, $c) { return 'after ' . @$e['none'] . $e['none']; }"}, Body: "after "},
		"exception": {
			Files:  map[string]string{"handler.php": "<?php function handle($e, $c) { throw new RuntimeException('thrown'); }"},
			Status: http.StatusInternalServerError, Body: "An error occured during handler execution: thrown\n",
		},
		"error of PHP": {
			Files:  map[string]string{"handler.php": "<?php function handle($e, $c) { return intdiv(1, 0); }"},
			Status: http.StatusInternalServerError, Body: "An error occured during handler execution: Division by zero\n",
		},
		"result without JSON form": {
			Files:  map[string]string{"handler.php": "<?php function handle($e, $c) { return ['body' => [NAN]]; }"},
			Status: http.StatusInternalServerError, Body: "An error occured during handler execution: Inf and NaN cannot be JSON encoded\n",
		},
		"code sample": {
			Files: map[string]string{"handler.php": runtimetest.CodeSample(t, "php84")}, Body: `{"message":"Hello, World!"}`,
		},
	})
}

func TestBootstrap_ExplainsStartFailures(t *testing.T) {
	t.Parallel()
	language.TestStartFailures(t, map[string]runtimetest.StartFailure{
		"missing file": {
			Code: "<?php require 'no_such_file.php';",
			Want: "Error: Failed opening required 'no_such_file.php'",
		},
		"missing class": {Code: "<?php new Db();", Want: `Error: Class "Db" not found`},
		"exception":     {Code: `<?php throw new RuntimeException("at load\nand more");`, Want: "RuntimeException: at load"},
		"fatal error": {
			Code: "<?php interface A {} final class B implements A, A {}", Want: "Fatal error: Class B cannot implement previously implemented interface A",
		},
		"missing function": {Code: "<?php function other() {}", Want: `the handler's file has no function "handle", but: other`},
		"not a function":   {Code: "<?php $handle = 3;", Want: `the handler's file has no function "handle", but: none`},
	})
}

func TestBuild_ExplainsErrors(t *testing.T) {
	t.Parallel()
	const handler = "<?php function handle($e, $c) {}"
	language.TestBuildFailures(t, map[string]runtimetest.BuildFailure{
		"no file": {
			Files: map[string]string{"index.php": ""},
			Want:  []string{"there is no handler.php in the archive"},
		},
		"folder around the files": {
			Files: map[string]string{"project/handler.php": ""},
			Want:  []string{"in its folder project", "not the folder"},
		},
		"syntax error": {
			Files: map[string]string{"handler.php": "<?php\nfunction handle($event, $context) {\n  return (;\n}"},
			Want:  []string{"the code has a syntax error", "in handler.php on line 3"},
		},
		"invalid composer.json": {
			Files: map[string]string{"handler.php": handler, "composer.json": "{"},
			Want:  []string{"composer.json cannot be read"},
		},
		"package in a folder of the server": {
			Files: map[string]string{"handler.php": handler, "composer.json": `{"repositories": [{"type": "path", "url": "/etc"}]}`},
			Want:  []string{"composer.json has the url /etc"},
		},
		"package above the archive": {
			Files: map[string]string{
				"handler.php": handler, "composer.json": `{}`,
				"composer.lock": `{"packages": [{"name": "a/b", "dist": {"type": "path", "url": "../../x"}}]}`,
			},
			Want: []string{"composer.lock has the url ../../x"},
		},
		"package with a file URL": {
			Files: map[string]string{"handler.php": handler, "composer.json": `{"repositories": {"x": {"type": "vcs", "url": "file:///etc"}}}`},
			Want:  []string{"composer.json has the url file:///etc"},
		},
		"output folder of the server": {
			Files: map[string]string{"handler.php": handler, "composer.json": `{"config": {"vendor-dir": "x", "cache-files-dir": "$HOME/../../x"}}`},
			Want:  []string{"composer.json has the cache-files-dir $HOME/../../x"},
		},
		"huge composer.json": {
			Files: map[string]string{"handler.php": handler, "composer.json": "[" + strings.Repeat("[],", 3<<20) + "0]"},
			Want:  []string{"composer.json cannot be read", "too large"},
		},
		"unsatisfiable requirement": {
			Files: map[string]string{"handler.php": handler, "composer.json": `{"require": {"php": "^5"}}`},
			Want:  []string{"composer failed", "php"},
		},
	})
}

func TestBuild_DoesNotRunTheCode(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	language.Build(t, "handler.handle", map[string]string{
		"handler.php":   "<?php touch('" + trace + "'); function handle($e, $c) {}",
		"composer.json": `{"scripts": {"pre-install-cmd": "touch ` + trace + `"}}`,
	})
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("the build ran the code: %v", err)
	}
}
