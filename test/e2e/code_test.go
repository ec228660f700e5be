package e2e_test

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/jetontest"
)

const goMod = "module example.org/f\n\ngo 1.21\n"

// An archive that cannot become a function fails with a clear message and leaves no
// files behind.
func TestDeployment_RefusesUnusableCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *server.Config) {
		if c.Engine == server.ProcessEngine {
			c.Toolchains = map[string]string{runtime.PHP: "/no/such/php"}
		}
	})
	n := w.namespace("bad-code")
	tests := map[string]struct {
		runtime, handler string
		archive          []byte
		says             string
	}{
		"no zip":           {"python311", "", []byte("PK no zip at all"), "archive"},
		"empty zip":        {"python311", "", zipOf(t, nil), "handler.py"},
		"dots":             {"python311", "", zipOf(t, map[string]string{"../x.py": ""}), `entry "../x.py"`},
		"absolute name":    {"python311", "", zipOf(t, map[string]string{"/etc/x.py": ""}), `entry "/etc/x.py"`},
		"a link":           {"python311", "", zipWith(t, "handler.py", fs.ModeSymlink|0o777, strings.NewReader("/etc/passwd")), `entry "handler.py"`},
		"a bomb":           {"python311", "", zipWith(t, "handler.py", 0o644, io.LimitReader(zeros{}, 501<<20)), "524288000"},
		"no handler file":  {"node24", "", zipOf(t, map[string]string{"index.js": ""}), "handler"},
		"Python's syntax":  {"python311", "", zipOf(t, map[string]string{"handler.py": "def handle(:\n"}), "handler.py"},
		"Node's syntax":    {"node24", "", zipOf(t, map[string]string{"handler.js": "exports.handle = (\n"}), "handler.js"},
		"Go's syntax":      {"go126", "", zipOf(t, map[string]string{"go.mod": goMod, "f.go": "package f\nfunc Handle(\n"}), "f.go:"},
		"no go.mod":        {"go126", "", zipOf(t, map[string]string{"f.go": "package f\n"}), "go.mod"},
		"two modules":      {"go126", "", zipOf(t, map[string]string{"a/go.mod": goMod, "b/go.mod": goMod}), "a"},
		"package main":     {"go126", "", zipOf(t, map[string]string{"go.mod": goMod, "f.go": "package main\nfunc main() {}\n"}), "main"},
		"no such function": {"go126", "Other", zipOf(t, map[string]string{"go.mod": goMod, "f.go": "package f\n"}), "Other"},
		"fails to load":    {"python311", "", zipOf(t, map[string]string{"handler.py": "import nothing_of_this_name\n"}), "nothing_of_this_name"},
		"no such export":   {"node24", "", zipOf(t, map[string]string{"handler.js": "exports.other = () => {}\n"}), "handle"},
		"no PHP here":      {"php84", "", zipOf(t, map[string]string{"handler.php": ""}), "/no/such/php was not found; install PHP"},
	}
	if jetontest.InPods() {
		delete(tests, "no PHP here") // Images have their toolchains.
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := &function.CreateFunctionRequest{
				NamespaceID: n.ID, Name: "bad", Runtime: function.FunctionRuntime(test.runtime), Privacy: function.FunctionPrivacyPublic,
			}
			if test.handler != "" {
				request.Handler = &test.handler
			}
			f := must[*function.Function](t)(w.CreateFunction(request))
			f = w.deploy(f.ID, test.archive)
			if f.Status != function.FunctionStatusError || f.ErrorMessage == nil {
				t.Fatalf("got status %s", f.Status)
			}
			if !strings.Contains(*f.ErrorMessage, test.says) {
				t.Errorf("got message %q, want one that contains %q", *f.ErrorMessage, test.says)
			}
			if strings.Contains(*f.ErrorMessage, w.DataDir) || strings.Contains(*f.ErrorMessage, "/artifacts/") {
				t.Errorf("the message contains a path of the server: %q", *f.ErrorMessage)
			}
			if status, _ := w.call(f, "/", ""); status != http.StatusServiceUnavailable {
				t.Errorf("a call: got status %d", status)
			}
			must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
			if _, err := w.WaitForFunction(&function.WaitForFunctionRequest{FunctionID: f.ID, RetryInterval: often}); !notFound(err) {
				t.Errorf("the deleted function: got error %v", err)
			}
		})
	}
	for _, folder := range []string{"archives", "artifacts"} {
		left, err := os.ReadDir(filepath.Join(w.DataDir, folder))
		if err != nil || len(left) > 0 {
			t.Errorf("%s: got %d entries, error %v, want none", folder, len(left), err)
		}
	}
}

func zipWith(t *testing.T, name string, mode fs.FileMode, content io.Reader) []byte {
	t.Helper()
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	header := &zip.FileHeader{Name: name, Method: zip.Deflate}
	header.SetMode(mode)
	file := must[io.Writer](t)(writer.CreateHeader(header))
	must[int64](t)(io.Copy(file, content))
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestUpload_RefusesInvalidRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.namespace("uploads")
	f := w.function(python(n.ID, "f"), nil)
	archive := zipOf(t, pythonHandler("return 'x'"))
	target := must[*function.UploadURL](t)(w.GetFunctionUploadURL(&function.GetFunctionUploadURLRequest{FunctionID: f.ID, ContentLength: uint64(len(archive))}))
	if got := *target.Headers["content-type"]; len(got) != 1 || got[0] != "application/octet-stream" {
		t.Errorf("got headers %v", target.Headers)
	}
	other := strings.Replace(target.URL, f.ID, n.ID, 1)
	for name, test := range map[string]struct {
		method, url string
		body        []byte
		status      int
	}{
		"another function": {http.MethodPut, other, archive, 403},
		"no signature":     {http.MethodPut, target.URL[:strings.Index(target.URL, "?")], archive, 403},
		"another length":   {http.MethodPut, strings.Replace(target.URL, "Content-Length=", "Content-Length=1", 1), archive, 403},
		"a longer body":    {http.MethodPut, target.URL, append([]byte("x"), archive...), 400},
		"another verb":     {http.MethodGet, target.URL, nil, 403},
	} {
		status, _, body := w.send(test.method, test.url, test.body, nil)
		if status != test.status || !strings.Contains(body, `"message":"`) {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	status, _, _ := w.api(http.MethodGet, "/functions/"+f.ID+"/upload-url?content_length=104857601", "")
	wantStatus(t, "an archive over 100 MiB", status, 400)
	if left, err := os.ReadDir(filepath.Join(w.DataDir, "archives")); err != nil || len(left) > 0 {
		t.Errorf("after refused uploads: got files %v, error %v, want none", left, err)
	}
	if _, err := w.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: f.ID}); !notFound(err) {
		t.Errorf("download of a function without code: got error %v", err)
	}
	w.upload(f.ID, archive)
	download := must[*function.DownloadURL](t)(w.GetFunctionDownloadURL(&function.GetFunctionDownloadURLRequest{FunctionID: f.ID}))
	if _, _, body := w.send(http.MethodGet, download.URL, nil, nil); body != string(archive) {
		t.Errorf("download: got %d bytes, want %d", len(body), len(archive))
	}
}
