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

var language = runtimetest.Language{
	Name: runtime.Python, File: "handler.py", Handler: "handler.handle", Worker: python.Worker(),
	Builder: func(tb testing.TB) runtime.Builder { return python.New(runtimetest.Toolchains(tb)) },
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
		"modules next to the handler and in package": {
			Files: map[string]string{
				"handler.py":          "import one\nfrom two import text\ndef handle(e, c): return one.text + text\n",
				"one.py":              "text = 'one'\n",
				"package/two/code.py": "",
				// Libraries contain files that only Python 2 compiles.
				"package/two/old.py":      "print 'old'\n",
				"package/two/__init__.py": "text = 'two'\n",
			}, Body: "onetwo",
		},
		"handler in a folder": {
			Handler: "src/handler.handle",
			Files: map[string]string{
				"src/handler.py": "from . import near\nimport far\ndef handle(e, c): return near.text + far.text\n",
				"src/near.py":    "text = 'near'\n",
				"far.py":         "text = 'far'\n",
			}, Body: "nearfar",
		},
		"name of a module of the library": {
			Handler: "signal.handle",
			Files:   map[string]string{"signal.py": "def handle(e, c): return 'mine'\n"}, Body: "mine",
		},
		"name with dots and dashes": {
			Handler: "my-own.handler.handle",
			Files:   map[string]string{"my-own.handler.py": "def handle(e, c): return 'dots'\n"}, Body: "dots",
		},
		"main thread": {
			Files: map[string]string{
				"handler.py": "import threading\ndef handle(e, c): return str(threading.current_thread() is threading.main_thread())\n",
			}, Body: "True",
		},
		"bytes": {
			Files: map[string]string{"handler.py": "def handle(e, c): return {'body': b'\\xff\\x00'}\n"}, Body: "\xff\x00",
		},
		"no result": {Files: map[string]string{"handler.py": "def handle(e, c): pass\n"}},
		"exception": {
			Files:  map[string]string{"handler.py": "def handle(e, c): raise RuntimeError('raised')\n"},
			Status: http.StatusInternalServerError, Body: "An error occured during handler execution: raised\n",
		},
		"result without JSON form": {
			Files:  map[string]string{"handler.py": "def handle(e, c): return {'body': {'a': object}}\n"},
			Status: http.StatusInternalServerError, Body: "An error occured during handler execution: Object of type type is not JSON serializable\n",
		},
		"text with deep nesting": {
			Files: map[string]string{"handler.py": "def handle(e, c): return '[' * 100000\n"}, Body: strings.Repeat("[", 100000),
		},
		"code sample": {
			Files: map[string]string{"handler.py": runtimetest.CodeSample(t, "python314")}, Body: `{"message":"Hello, World!"}`,
		},
	})
}

func TestBootstrap_ExplainsStartFailures(t *testing.T) {
	t.Parallel()
	language.TestStartFailures(t, map[string]runtimetest.StartFailure{
		"missing module": {Code: "import no_such_module", Want: "ModuleNotFoundError: No module named 'no_such_module'"},
		"exception":      {Code: "raise RuntimeError('at load\\nand more')", Want: "RuntimeError: at load"},
		"exception in a handler": {
			Code: "try:\n    {}['a']\nexcept KeyError:\n    raise ValueError('no a')", Want: "ValueError: no a",
		},
		"syntax error":     {Code: "import ast; ast.parse('x = (')", Want: "SyntaxError: '(' was never closed"},
		"exit":             {Code: "import sys; sys.exit('DB_URL is required')", Want: "DB_URL is required"},
		"missing function": {Code: "def other(e, c): pass", Want: `AttributeError: the handler's file has no function "handle"`},
		"not a function":   {Code: "handle = 3", Want: `AttributeError: the handler's file has no function "handle"`},
	})
}

func TestBuild_WritesBytecodeThatStartsDoNotChange(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.py": "import helper\ndef handle(e, c): return 'ok'\n", // Small code has no bytecode.
		"helper.py":  "# " + strings.Repeat("x", 5000) + "\n",
	})
	before := listFiles(t, built.Dir)
	if !strings.Contains(before, "__pycache__/helper.") {
		t.Errorf("got output %s, want bytecode of helper.py", before)
	}
	runtimetest.Start(t, built).Do(t, runtimetest.Call{})
	if after := listFiles(t, built.Dir); after != before {
		t.Errorf("got output after a start\n%s\nwant\n%s", after, before)
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

func TestBuild_ExplainsErrors(t *testing.T) {
	t.Parallel()
	language.TestBuildFailures(t, map[string]runtimetest.BuildFailure{
		"no file": {
			Files: map[string]string{"main.py": ""},
			Want:  []string{"there is no handler.py in the archive"},
		},
		"folder around the files": {
			Files: map[string]string{"project/handler.py": ""},
			Want:  []string{"in its folder project", "not the folder"},
		},
		"syntax error": {
			Files: map[string]string{"handler.py": "def handle(event, context):\n    return (\n"},
			Want:  []string{"the code has a syntax error", `File "handler.py", line 2`, "SyntaxError"},
		},
		"Python 2": {
			Files: map[string]string{"handler.py": "print 'hello'\n"},
			Want:  []string{"the code has a syntax error", "SyntaxError"},
		},
	})
}

func TestBuild_DoesNotRunTheCode(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	language.Build(t, "handler.handle", map[string]string{"handler.py": "open(" + `"` + trace + `", "w")` + "\ndef handle(e, c): pass\n"})
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("the build ran the code: %v", err)
	}
}
