package python_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

func build(t testing.TB, handler string, files map[string]string) runtimetest.Built {
	t.Helper()
	return runtimetest.Build(t, python.New(runtimetest.Toolchains(t)), runtime.Python, handler, files)
}

const shared = `
import json, time

def echo(event, context):
    return {"statusCode": 200, "body": json.dumps({"event": event, "context": context})}

def respond(event, context):
    return json.loads(event["body"])

def slow(event, context):
    print("begun")
    time.sleep(0.3)
    return "finished"
`

func TestEvents(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.echo", map[string]string{"handler.py": shared})
	runtimetest.InBothWays(t, python.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestEvents(t, way.Start(t, built, runtimetest.ContextEnv()...))
	})
}

func TestResults(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.respond", map[string]string{"handler.py": shared})
	runtimetest.InBothWays(t, python.Worker(), func(t *testing.T, way runtimetest.Way) {
		runtimetest.TestResults(t, way.Start(t, built))
	})
}

func TestTermination(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.slow", map[string]string{"handler.py": shared})
	runtimetest.InBothWays(t, python.Worker(), func(t *testing.T, way runtimetest.Way) {
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
		"modules beside and in package": {
			files: map[string]string{
				"handler.py":          "import one\nfrom two import text\ndef handle(e, c): return one.text + text\n",
				"one.py":              "text = 'one'\n",
				"package/two/code.py": "",
				// Only Python 2 would compile this one, as libraries have them.
				"package/two/old.py":      "print 'old'\n",
				"package/two/__init__.py": "text = 'two'\n",
			}, body: "onetwo",
		},
		"a folder": {
			handler: "src/handler.handle",
			files: map[string]string{
				"src/handler.py": "from . import near\nimport far\ndef handle(e, c): return near.text + far.text\n",
				"src/near.py":    "text = 'near'\n",
				"far.py":         "text = 'far'\n",
			}, body: "nearfar",
		},
		"a file called as a module of the library": {
			handler: "signal.handle",
			files:   map[string]string{"signal.py": "def handle(e, c): return 'mine'\n"}, body: "mine",
		},
		"a file with dots and dashes": {
			handler: "my-own.handler.handle",
			files:   map[string]string{"my-own.handler.py": "def handle(e, c): return 'dots'\n"}, body: "dots",
		},
		"the main thread": {
			files: map[string]string{
				"handler.py": "import threading\ndef handle(e, c): return str(threading.current_thread() is threading.main_thread())\n",
			}, body: "True",
		},
		"bytes": {
			files: map[string]string{"handler.py": "def handle(e, c): return {'body': b'\\xff\\x00'}\n"}, body: "\xff\x00",
		},
		"nothing": {files: map[string]string{"handler.py": "def handle(e, c): pass\n"}},
		"a raise": {
			files:  map[string]string{"handler.py": "def handle(e, c): raise RuntimeError('raised')\n"},
			status: http.StatusInternalServerError, body: "An error occured during handler execution: raised\n",
		},
		"what is no JSON": {
			files:  map[string]string{"handler.py": "def handle(e, c): return {'body': {'a': object}}\n"},
			status: http.StatusInternalServerError, body: "An error occured during handler execution: Object of type type is not JSON serializable\n",
		},
		"deep text": {
			files: map[string]string{"handler.py": "def handle(e, c): return '[' * 100000\n"}, body: strings.Repeat("[", 100000),
		},
		"the code sample": {
			files: map[string]string{"handler.py": sample(t)}, body: `{"message":"Hello, World!"}`,
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
			runtimetest.InBothWays(t, python.Worker(), func(t *testing.T, way runtimetest.Way) {
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
	r, ok := runtime.Lookup("python314")
	if !ok {
		t.Fatal("there is no runtime python314")
	}
	return r.CodeSample
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ file, want string }{
		"a missing module": {"import no_such_module", "No module named 'no_such_module'"},
		"a raise":          {"raise RuntimeError('at load')", "at load"},
		"no such function": {"def other(e, c): pass", `has no function "handle"`},
		"no function":      {"handle = 3", `has no function "handle"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			built := build(t, "handler.handle", map[string]string{"handler.py": test.file})
			runtimetest.InBothWays(t, python.Worker(), func(t *testing.T, way runtimetest.Way) {
				status, output := way.StartFails(t, built)
				lines := strings.Split(strings.TrimSpace(output), "\n")
				if last := lines[len(lines)-1]; status != 1 || !strings.Contains(last, test.want) {
					t.Errorf("ended with %d and the last line %q, want 1 and %q", status, last, test.want)
				}
			})
		})
	}
}

// TestOutputIsCompiledAndNeverWritten asks that the bytecode is there before the
// first start, and that no start adds to it.
func TestOutputIsCompiledAndNeverWritten(t *testing.T) {
	t.Parallel()
	built := build(t, "handler.handle", map[string]string{
		"handler.py": "import helper\ndef handle(e, c): return 'ok'\n", "helper.py": "",
	})
	before := listFiles(t, built.Dir)
	if !strings.Contains(before, "__pycache__/helper.") {
		t.Errorf("the output has no bytecode of helper.py: %s", before)
	}
	runtimetest.Start(t, built).Do(t, runtimetest.Call{})
	if after := listFiles(t, built.Dir); after != before {
		t.Errorf("after a start the output is\n%s\nand was before\n%s", after, before)
	}
}

func listFiles(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, "\n")
}

func TestBuildFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		files map[string]string
		want  []string
	}{
		"no file": {
			files: map[string]string{"main.py": ""},
			want:  []string{"there is no handler.py in the archive"},
		},
		"a folder around the files": {
			files: map[string]string{"project/handler.py": ""},
			want:  []string{"in its folder project", "not the folder"},
		},
		"a syntax error": {
			files: map[string]string{"handler.py": "def handle(event, context):\n    return (\n"},
			want:  []string{"the code has a syntax error", `File "handler.py", line 2`, "SyntaxError"},
		},
		"code of Python 2": {
			files: map[string]string{"handler.py": "print 'hello'\n"},
			want:  []string{"the code has a syntax error", "SyntaxError"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			message := runtimetest.BuildFails(t, python.New(runtimetest.Toolchains(t)), runtime.Python, "handler.handle", test.files)
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
	build(t, "handler.handle", map[string]string{"handler.py": "open(" + `"` + trace + `", "w")` + "\ndef handle(e, c): pass\n"})
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("the build ran the code: %v", err)
	}
}
