package golang_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
	"github.com/jeton-dev/jeton/test/await"
)

// cache returns a folder that all runs of the tests share, so that the standard library is
// compiled once.
var cache = sync.OnceValues(func() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "jeton-tests", "golang")
	return dir, os.MkdirAll(dir, 0o700)
})

func newBuilder(t *testing.T, timeout time.Duration) runtime.Builder {
	t.Helper()
	dir, err := cache()
	if err != nil {
		t.Fatal(err)
	}
	return runtimetest.InCache(golang.New(golang.Config{Base: dir, Timeout: timeout}, runtimetest.Toolchains(t)), dir)
}

func build(t *testing.T, handler string, files map[string]string) runtimetest.Built {
	t.Helper()
	return runtimetest.Build(t, newBuilder(t, 0), runtime.Go, handler, files)
}

const goMod = "module myhandler\n\ngo 1.21\n"

func function(body string) map[string]string {
	return map[string]string{
		"go.mod":     goMod,
		"handler.go": "package myfunc\n\nimport \"net/http\"\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {\n" + body + "\n}\n",
	}
}

const everything = `package myfunc

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

func Handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		w.Header()["X-Many"] = r.Header["X-Many"]
		w.Header().Set("X-Method", r.Method)
		w.WriteHeader(http.StatusCreated)
		io.Copy(w, r.Body)
	case "/environment":
		io.WriteString(w, os.Getenv("VARIABLE"))
	case "/panic":
		panic("it failed")
	case "/stream":
		io.WriteString(w, "first\n")
		http.NewResponseController(w).Flush()
		io.Copy(w, r.Body)
	case "/slow":
		fmt.Println("begun")
		// The call is still in progress when the instance is terminated.
		time.Sleep(300 * time.Millisecond)
		io.WriteString(w, "finished")
	}
}
`

func TestFunction_ServesCalls(t *testing.T) {
	t.Parallel()
	runtimetest.TestPlain(t, build(t, "Handle", map[string]string{"go.mod": goMod, "handler.go": everything}))
}

func TestFunction_LogsPanics(t *testing.T) {
	t.Parallel()
	in := runtimetest.Start(t, build(t, "Handle", map[string]string{"go.mod": goMod, "handler.go": everything}))
	in.Do(t, runtimetest.Call{Target: "/panic"})
	await.True(t, "the panic and its line are in the log", func() bool {
		return strings.Contains(in.Output(), "panic: it failed") && strings.Contains(in.Output(), "handler.go:")
	})
}

func TestBuild_AcceptsLayoutsOfModules(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		handler string
		files   map[string]string
	}{
		"function in the root package": {files: function(`w.Write([]byte("ok"))`)},
		"oldest form of handler":       {handler: ".", files: function(`w.Write([]byte("ok"))`)},
		"variable": {files: map[string]string{
			"go.mod":     goMod,
			"handler.go": "package f\n\nimport \"net/http\"\n\nvar Handle = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(\"ok\")) })\n",
		}},
		"module in a folder": {handler: "sub/Handle", files: map[string]string{
			"sub/go.mod":     "module sub\n",
			"sub/handler.go": function(`w.Write([]byte("ok"))`)["handler.go"],
			"other/go.mod":   "module other\n",
		}},
		"further packages": {files: map[string]string{
			"go.mod":               goMod,
			"handler.go":           "package f\n\nimport (\n\t\"net/http\"\n\n\t\"myhandler/internal/text\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text.OK)) }\n",
			"handler_test.go":      "package f_test\n",
			"internal/text/ok.go":  "package text\n\nconst OK = \"ok\"\n",
			"cmd/local/main.go":    "package main\n\nfunc main() {}\n",
			"jeton_main/taken.txt": "",
		}},
		"vendor folder": {files: map[string]string{
			"go.mod":                       "module myhandler\n\ngo 1.21\n\nrequire example.com/text v1.0.0\n",
			"handler.go":                   "package f\n\nimport (\n\t\"net/http\"\n\n\t\"example.com/text\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text.OK)) }\n",
			"vendor/modules.txt":           "# example.com/text v1.0.0\n## explicit; go 1.21\nexample.com/text\n",
			"vendor/example.com/text/x.go": "package text\n\nconst OK = \"ok\"\n",
		}},
		"replacement within the archive": {files: map[string]string{
			"go.mod":      "module myhandler\n\ngo 1.21\n\nrequire example.com/text v1.0.0\n\nreplace example.com/text => ./text\n",
			"handler.go":  "package f\n\nimport (\n\t\"net/http\"\n\n\t\"example.com/text\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text.OK)) }\n",
			"text/go.mod": "module example.com/text\n\ngo 1.21\n",
			"text/x.go":   "package text\n\nconst OK = \"ok\"\n",
		}},
		"workspace of other modules": {files: func() map[string]string {
			files := function(`w.Write([]byte("ok"))`)
			files["go.work"] = "go 1.21\n\nuse ./elsewhere\n"
			return files
		}()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.handler == "" {
				test.handler = "Handle"
			}
			in := runtimetest.Start(t, build(t, test.handler, test.files))
			if got := in.Do(t, runtimetest.Call{}); got.Status != http.StatusOK || got.Body != "ok" {
				t.Errorf("got %d %q, want 200 ok", got.Status, got.Body)
			}
		})
	}
}

func TestBuild_ExplainsErrors(t *testing.T) {
	t.Parallel()
	source := function("")["handler.go"]
	tests := map[string]struct {
		handler string
		files   map[string]string
		want    []string
	}{
		"no module": {
			files: map[string]string{"handler.go": source},
			want:  []string{"there is no go.mod at the root of the archive: make one with: go mod init"},
		},
		"folder around the module": {
			files: map[string]string{"project/go.mod": goMod, "project/handler.go": source},
			want:  []string{"there is one in project", "project/Handle"},
		},
		"two modules": {
			files: map[string]string{"a/go.mod": goMod, "b/go.mod": goMod, "vendor/c/go.mod": goMod},
			want:  []string{"several modules (a, b)", "a/Handle"},
		},
		"no module in the folder": {
			handler: "sub/Handle",
			files:   map[string]string{"go.mod": goMod, "sub/handler.go": source},
			want:    []string{"there is no go.mod in the folder sub", "there is one in ."},
		},
		"invalid go.mod": {
			files: map[string]string{"go.mod": "module (\n"},
			want:  []string{"go.mod cannot be read"},
		},
		"go.mod without a module line": {
			files: map[string]string{"go.mod": "go 1.21\n"},
			want:  []string{"go.mod has no module line"},
		},
		"newer Go": {
			files: map[string]string{"go.mod": "module m\n\ngo 1.99\n", "handler.go": source},
			want:  []string{"go.mod requires Go 1.99, and this server has Go 1."},
		},
		"unknown directive": {
			files: map[string]string{"go.mod": goMod + "nonsense here\n", "handler.go": source},
			want:  []string{"nonsense"},
		},
		"replacement outside of the archive": {
			files: map[string]string{"go.mod": goMod + "replace x => ../../y\n", "handler.go": source},
			want:  []string{"go.mod replaces x by ../../y, which is not in the archive"},
		},
		"replacement by an absolute path": {
			files: map[string]string{"go.mod": goMod + "replace x => /etc\n", "handler.go": source},
			want:  []string{"go.mod replaces x by /etc"},
		},
		"no code": {
			files: map[string]string{"go.mod": goMod, "sub/handler.go": source},
			want:  []string{"there is no Go file in the folder of go.mod"},
		},
		"package main": {
			files: map[string]string{"go.mod": goMod, "main.go": "package main\n\nfunc main() {}\n"},
			want:  []string{"package main"},
		},
		"two packages": {
			files: map[string]string{"go.mod": goMod, "a.go": "package a\n", "b.go": "package b\n"},
			want:  []string{"belong to two packages, a and b"},
		},
		"missing function": {
			files: map[string]string{
				"go.mod": goMod, "h.go": "package f\n\nfunc Hello() {}\n\nfunc (T) Handle() {}\n\ntype T int\n\nfunc handle() {}\n",
			},
			want: []string{"package f has no exported function Handle; it has Hello"},
		},
		"wrong signature": {
			files: map[string]string{"go.mod": goMod, "h.go": "package f\n\nfunc Handle(name string) {}\n"},
			want:  []string{"f.Handle must be func(http.ResponseWriter, *http.Request)", "func(name string)"},
		},
		"syntax error": {
			files: map[string]string{"go.mod": goMod, "h.go": "package f\n\nfunc Handle( {\n"},
			want:  []string{"the code has a syntax error", "h.go:3:14"},
		},
		"syntax error in the first line": {
			files: map[string]string{"go.mod": goMod, "h.go": "pakage f\n"},
			want:  []string{"the code has a syntax error", "h.go:1:1"},
		},
		"type error": {
			files: function("var x int = \"text\""),
			want:  []string{"the build failed", "handler.go:6:13: cannot use"},
		},
		"missing package": {
			files: map[string]string{"go.mod": goMod, "h.go": "package f\n\nimport (\n\t\"net/http\"\n\n\t_ \"example.invalid/x\"\n)\n\nfunc Handle(w http.ResponseWriter, r *http.Request) {}\n"},
			want:  []string{"the build failed", "example.invalid/x"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.handler == "" {
				test.handler = "Handle"
			}
			message := runtimetest.BuildFails(t, newBuilder(t, 0), runtime.Go, test.handler, test.files)
			for _, want := range test.want {
				if !strings.Contains(message, want) {
					t.Errorf("got message %q, want %q in it", message, want)
				}
			}
			if strings.Contains(message, "jeton_main") {
				t.Errorf("got message %q, want no name of the generated package", message)
			}
		})
	}
}

func TestBuild_TimesOut(t *testing.T) {
	t.Parallel()
	build(t, "Handle", function("")) // This compiles the standard library.
	b := newBuilder(t, time.Millisecond)
	message := runtimetest.BuildFails(t, b, runtime.Go, "Handle", function(""))
	if want := "the build took longer than 1ms"; message != want {
		t.Errorf("got message %q, want %q", message, want)
	}
}

func TestBuild_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range function("") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := newBuilder(t, 0).Build(ctx, runtime.Build{
		Runtime: runtime.Runtime{Language: runtime.Go}, Handler: runtime.Handler{Function: "Handle"},
		Source: dir, Output: t.TempDir(),
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Build() = %v, want %v", err, context.Canceled)
	}
}

// With the flags of the server the function would not compile.
func TestBuild_IgnoresFlagsOfTheServer(t *testing.T) {
	t.Setenv("GOFLAGS", "-tags=server")
	files := function("")
	files["server.go"] = "//go:build server\n\npackage myfunc\n\nvar x int = \"text\"\n"
	build(t, "Handle", files)
}

func TestBuild_LeavesOneProgram(t *testing.T) {
	t.Parallel()
	built := build(t, "Handle", function(""))
	entries, err := os.ReadDir(built.Dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "function" {
		t.Errorf("got output %v, %v, want one program", entries, err)
	}
}

// A panic before main is reported with its text instead of a line of the stack trace.
func TestStartFailure_IsThePanic(t *testing.T) {
	t.Parallel()
	files := function("")
	files["handler.go"] += "\nfunc init() { panic(\"DB_URL is required\") }\n"
	status, output := runtimetest.Mode{}.StartFails(t, build(t, "Handle", files))
	if cause := runtimetest.Cause(runtime.Go, output); status != 2 || cause != "panic: DB_URL is required" {
		t.Errorf("got status %d, cause %q; output:\n%s", status, cause, output)
	}
}
