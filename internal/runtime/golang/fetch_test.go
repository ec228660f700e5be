package golang_test

import (
	"archive/zip"
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
)

// proxy starts a module proxy that requires a password and has version 1.0.0 of
// example.invalid/text. It sets the variables of the server's Go to the proxy.
func proxy(t *testing.T) (goSum string) {
	t.Helper()
	const module = "module example.invalid/text\n\ngo 1.21\n"
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, text := range map[string]string{"go.mod": module, "text.go": "package text\n\nconst Said = \"downloaded\"\n"} {
		w, err := z.Create("example.invalid/text@v1.0.0/" + name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for name, text := range map[string]string{"info": `{"Version": "v1.0.0"}`, "mod": module, "zip": packed.String()} {
		mux.HandleFunc("GET /example.invalid/text/@v/v1.0.0."+name, func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "hunter22" {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			_, _ = io.WriteString(w, text)
		})
	}
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", authority)
	t.Setenv("GOPROXY", strings.Replace(server.URL, "://", "://user:hunter22@", 1))
	t.Setenv("GONOSUMDB", "example.invalid")
	t.Setenv("GOFLAGS", "")
	path := filepath.Join(t.TempDir(), "module.zip")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	sum, err := dirhash.HashZip(path, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(module)), nil })
	if err != nil {
		t.Fatal(err)
	}
	return "example.invalid/text v1.0.0 " + sum + "\nexample.invalid/text v1.0.0/go.mod " + modSum + "\n"
}

func downloading(goSum string) map[string]string {
	return map[string]string{
		"go.mod": goMod + "require example.invalid/text v1.0.0\n", "go.sum": goSum,
		"handler.go": "package f\n\nimport (\n\t\"net/http\"\n\n\t\"example.invalid/text\"\n)\n\n" +
			"func Handle(w http.ResponseWriter, r *http.Request) { w.Write([]byte(text.Said)) }\n",
	}
}

// own returns a builder with a cache that has only the standard library.
func own(t *testing.T, toolchains *runtime.Toolchains) runtime.Builder {
	t.Helper()
	dir, err := cache()
	if err != nil {
		t.Fatal(err)
	}
	return runtimetest.InCache(golang.New(golang.Config{Base: dir}, toolchains), t.TempDir())
}

func TestFetch_Downloads(t *testing.T) {
	files := downloading(proxy(t))
	in := runtimetest.Start(t, runtimetest.Build(t, own(t, runtimetest.Toolchains(t)), runtime.Go, "Handle", files))
	if got := in.Do(t, runtimetest.Call{}); got.Body != "downloaded" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

func TestFetch_NamesMissingModules(t *testing.T) {
	goSum := proxy(t)
	files := downloading(strings.ReplaceAll(goSum, "text v1.0.0", "text v1.0.1"))
	files["go.mod"] = strings.ReplaceAll(files["go.mod"], "v1.0.0", "v1.0.1")
	message := runtimetest.BuildFails(t, own(t, runtimetest.Toolchains(t)), runtime.Go, "Handle", files)
	if !strings.Contains(message, "example.invalid/text@v1.0.1") || !strings.Contains(message, "404") {
		t.Errorf("got message %q, want the missing module and the cause", message)
	}
	if strings.Contains(message, "hunter22") {
		t.Errorf("got message %q, want no credentials", message)
	}
}

func TestFetch_ChecksSums(t *testing.T) {
	files := downloading(proxy(t))
	files["go.sum"] = strings.ReplaceAll(files["go.sum"], "v1.0.0 h1:", "v1.0.0 h1:AAAA")
	message := runtimetest.BuildFails(t, own(t, runtimetest.Toolchains(t)), runtime.Go, "Handle", files)
	if !strings.Contains(message, "example.invalid/text") {
		t.Errorf("got message %q, want the name of the module", message)
	}
}

func TestFetch_ExplainsOffline(t *testing.T) {
	files := downloading(proxy(t))
	toolchains := runtimetest.Toolchains(t)
	toolchains.Isolate(nil, nil)
	message := runtimetest.BuildFails(t, own(t, toolchains), runtime.Go, "Handle", files)
	if !strings.Contains(message, "--egress=none") || !strings.Contains(message, "go mod vendor") {
		t.Errorf("got message %q, want the cause and what to do", message)
	}
}
