package php_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func builder(tb testing.TB) runtime.Builder {
	return php.New(php.Config{Cache: tb.TempDir(), Timeout: time.Minute}, runtimetest.Toolchains(tb))
}

func build(tb testing.TB, handler string, files map[string]string) runtimetest.Built {
	tb.Helper()
	return runtimetest.Build(tb, builder(tb), runtime.PHP, handler, files)
}

const shared = `<?php
function echoed($event, $context) {
    // What is empty is an array in PHP, and an object in the table of cases.
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

func TestEvents(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.echoed", map[string]string{"handler.php": shared})
	runtimetest.InBothWays(t, php.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestEvents(t, way.Start(t, built, runtimetest.ContextEnv()...))
	})
}

func TestResults(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.respond", map[string]string{"handler.php": shared})
	runtimetest.InBothWays(t, php.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestResults(t, way.Start(t, built))
	})
}

func TestTermination(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.slow", map[string]string{"handler.php": shared})
	runtimetest.InBothWays(t, php.Worker(), func(t *testing.T, way runtimetest.Way) {
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
		"a file beside": {
			handler: "src/handler.handle",
			files: map[string]string{
				"src/handler.php": "<?php require 'near.php'; require_once __DIR__ . '/../far.php'; function handle($e, $c) { return near() . far(); }",
				"src/near.php":    "<?php function near() { return 'near'; }",
				"far.php":         "<?php function far() { return 'far'; }",
			}, body: "nearfar",
		},
		"a vendor folder": {
			files: map[string]string{
				"handler.php":         "<?php function handle($e, $c) { return Some\\text(); }",
				"composer.json":       `{"require":{"no/such":"^1"}}`,
				"vendor/autoload.php": "<?php namespace Some; function text() { return 'vendored'; }",
			}, body: "vendored",
		},
		"a vendor folder that is loaded twice": {
			files: map[string]string{
				"handler.php":         "<?php require_once __DIR__ . '/vendor/autoload.php'; function handle($e, $c) { return text(); }",
				"vendor/autoload.php": "<?php function text() { return 'once'; }",
			}, body: "once",
		},
		"globals": {
			files: map[string]string{"handler.php": "<?php $text = 'global'; function handle($e, $c) { global $text; return $text; }"}, body: "global",
		},
		"a file with dots and dashes": {
			handler: "my-own.handler.handle",
			files:   map[string]string{"my-own.handler.php": "<?php function handle($e, $c) { return 'dots'; }"}, body: "dots",
		},
		"bytes": {
			files: map[string]string{"handler.php": "<?php function handle($e, $c) { return ['body' => \"\\xff\\x00\"]; }"}, body: "\xff\x00",
		},
		"an object": {
			files: map[string]string{"handler.php": "<?php function handle($e, $c) { return (object) ['statusCode' => 201, 'body' => new stdClass]; }"}, status: 201, body: "{}",
		},
		"nothing":  {files: map[string]string{"handler.php": "<?php function handle($e, $c) {}"}},
		"a notice": {files: map[string]string{"handler.php": "<?php function handle($e, $c) { return 'after ' . @$e['none'] . $e['none']; }"}, body: "after "},
		"a throw": {
			files:  map[string]string{"handler.php": "<?php function handle($e, $c) { throw new RuntimeException('thrown'); }"},
			status: http.StatusInternalServerError, body: "An error occured during handler execution: thrown\n",
		},
		"an error of the engine": {
			files:  map[string]string{"handler.php": "<?php function handle($e, $c) { return intdiv(1, 0); }"},
			status: http.StatusInternalServerError, body: "An error occured during handler execution: Division by zero\n",
		},
		"what is no JSON": {
			files:  map[string]string{"handler.php": "<?php function handle($e, $c) { return ['body' => [NAN]]; }"},
			status: http.StatusInternalServerError, body: "An error occured during handler execution: Inf and NaN cannot be JSON encoded\n",
		},
		"the code sample": {
			files: map[string]string{"handler.php": sample(t)}, body: `{"message":"Hello, World!"}`,
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
			runtimetest.InBothWays(t, php.Worker(), func(t *testing.T, way runtimetest.Way) {
				got := way.Start(t, built).Do(t, runtimetest.Call{})
				if got.Status != test.status || got.Body != test.body {
					t.Errorf("answer is %d %.300q, want %d %.300q", got.Status, got.Body, test.status, test.body)
				}
			})
		})
	}
}

func sample(t *testing.T) string {
	t.Helper()
	r, ok := runtime.Lookup("php84")
	if !ok {
		t.Fatal("there is no runtime php84")
	}
	return r.CodeSample
}

// TestComposer has the autoloader made that composer.json describes, which needs
// no package of elsewhere.
func TestComposer(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.handle", map[string]string{
		"handler.php":   "<?php function handle($e, $c) { return App\\Text::SAID; }",
		"src/Text.php":  "<?php namespace App; class Text { const SAID = 'loaded by composer'; }",
		"composer.json": `{"autoload": {"psr-4": {"App\\": "src/"}}, "scripts": {"post-autoload-dump": "false"}}`,
	})
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "loaded by composer" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, want string }{
		"a missing file":   {"<?php require 'no_such_file.php';", "no_such_file.php"},
		"a throw":          {"<?php throw new RuntimeException('at load');", "at load"},
		"no such function": {"<?php function other() {}", `has no function "handle", but: other`},
		"no function":      {"<?php $handle = 3;", `has no function "handle", but: none`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := build(t, "handler.handle", map[string]string{"handler.php": test.file})
			runtimetest.InBothWays(t, php.Worker(), func(t *testing.T, way runtimetest.Way) {
				status, output := way.StartFails(t, built)
				lines := strings.Split(strings.TrimSpace(output), "\n")
				if last := lines[len(lines)-1]; status == 0 || !strings.Contains(last, test.want) {
					t.Errorf("ended with %d and the last line %q, want a failure and %q", status, last, test.want)
				}
			})
		})
	}
}

func TestBuildFailures(t *testing.T) {
	t.Parallel()
	const handler = "<?php function handle($e, $c) {}"
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"no file": {
			files: map[string]string{"index.php": ""},
			want:  []string{"there is no handler.php in the archive"},
		},
		"a folder around the files": {
			files: map[string]string{"project/handler.php": ""},
			want:  []string{"in its folder project", "not the folder"},
		},
		"a syntax error": {
			files: map[string]string{"handler.php": "<?php\nfunction handle($event, $context) {\n  return (;\n}"},
			want:  []string{"the code has a syntax error", "in handler.php on line 3"},
		},
		"a composer.json that is none": {
			files: map[string]string{"handler.php": handler, "composer.json": "{"},
			want:  []string{"composer.json cannot be read"},
		},
		"a package of this server": {
			files: map[string]string{"handler.php": handler, "composer.json": `{"repositories": [{"type": "path", "url": "/etc"}]}`},
			want:  []string{"composer.json has the url /etc"},
		},
		"a package of above": {
			files: map[string]string{
				"handler.php": handler, "composer.json": `{}`,
				"composer.lock": `{"packages": [{"name": "a/b", "dist": {"type": "path", "url": "../../x"}}]}`,
			},
			want: []string{"composer.lock has the url ../../x"},
		},
		"a package of a file": {
			files: map[string]string{"handler.php": handler, "composer.json": `{"repositories": {"x": {"type": "vcs", "url": "file:///etc"}}}`},
			want:  []string{"composer.json has the url file:///etc"},
		},
		"a folder of this server to write to": {
			files: map[string]string{"handler.php": handler, "composer.json": `{"config": {"vendor-dir": "x", "cache-files-dir": "$HOME/../../x"}}`},
			want:  []string{"composer.json has the cache-files-dir $HOME/../../x"},
		},
		"what composer refuses": {
			files: map[string]string{"handler.php": handler, "composer.json": `{"require": {"php": "^5"}}`},
			want:  []string{"composer failed", "php"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := runtimetest.BuildFails(t, builder(t), runtime.PHP, "handler.handle", test.files)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("message is %q, want it to have %q", message, want)
				}
			}
		})
	}
}

// TestBuildRunsNothing asks that a build does not execute the function's code.
func TestBuildRunsNothing(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	build(t, "handler.handle", map[string]string{
		"handler.php":   "<?php touch('" + trace + "'); function handle($e, $c) {}",
		"composer.json": `{"scripts": {"pre-install-cmd": "touch ` + trace + `"}}`,
	})
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("the build ran the code: %v", err)
	}
}
