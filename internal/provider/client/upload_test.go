package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/scaleway/scaleway-sdk-go/scw"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// uploadTo returns the API's answer with the URL for an upload of five bytes.
func uploadTo(url string) http.HandlerFunc {
	return answer(http.StatusOK, fmt.Sprintf(
		`{"url":%q,"headers":{"content-length":["5"],"content-type":["application/octet-stream"]}}`, url))
}

func archive(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "function.zip")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The official provider sends the secret key to every host that the API names for
// an upload.
func TestUpload_SendsNoSecretKey(t *testing.T) {
	t.Parallel()
	host := &script{answers: []http.HandlerFunc{answer(http.StatusOK, "")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	c, _ := dial(t, uploadTo(storage.URL+"/function.zip?X-Amz-Signature=signed"))
	if _, err := c.Upload(t.Context(), tokenID, archive(t, "hello")); err != nil {
		t.Fatal(err)
	}
	sent := host.requests[0]
	if host.bodies[0] != "hello" || sent.ContentLength != 5 || sent.URL.RawQuery != "X-Amz-Signature=signed" {
		t.Errorf("sent %q, %d bytes, to %s", host.bodies[0], sent.ContentLength, sent.URL)
	}
	for name, values := range sent.Header {
		if name != "Content-Type" && name != "Content-Length" {
			t.Errorf("sent a header that the API did not ask for: %s: %v", name, values)
		}
	}
	if got := sent.Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("got content type %q, want application/octet-stream", got)
	}
}

func TestUpload_RetriesUnavailableHost(t *testing.T) {
	t.Parallel()
	host := &script{answers: []http.HandlerFunc{answer(http.StatusServiceUnavailable, ""), answer(http.StatusOK, "")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	c, _ := dial(t, uploadTo(storage.URL))
	if _, err := c.Upload(t.Context(), tokenID, archive(t, "hello")); err != nil {
		t.Fatal(err)
	}
	if host.count() != 2 || host.bodies[1] != "hello" {
		t.Errorf("got %d uploads, the last of %q, want 2 of \"hello\"", host.count(), host.bodies[len(host.bodies)-1])
	}
}

func TestUpload_ReturnsErrorsWithoutURL(t *testing.T) {
	t.Parallel()
	storage := func(t *testing.T, h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL + "/f.zip?X-Amz-Signature=signed"
	}
	refusing := func(t *testing.T) string {
		return storage(t, answer(http.StatusForbidden, "<Error><Code>AccessDenied</Code></Error>"))
	}
	tests := map[string]struct {
		content string
		target  func(t *testing.T) string
		want    string
	}{
		"refused":         {"hello", refusing, "403 Forbidden: <Error><Code>AccessDenied</Code></Error>"},
		"created, not ok": {"hello", func(t *testing.T) string { return storage(t, answer(http.StatusCreated, "")) }, "201 Created"},
		"another length":  {"hello world", refusing, `upload of "5" bytes and the archive has 11`},
		"empty archive":   {"", refusing, "file is empty"},
		"no url":          {"hello", func(*testing.T) string { return "" }, "no usable URL"},
		"a file url":      {"hello", func(*testing.T) string { return "file:///etc/passwd" }, "no usable URL"},
		"a redirecting url": {"hello", func(t *testing.T) string {
			return storage(t, http.RedirectHandler("http://127.0.0.1:1", http.StatusTemporaryRedirect).ServeHTTP)
		}, "307"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := dial(t, uploadTo(test.target(t)))
			_, err := c.Upload(t.Context(), tokenID, archive(t, test.content))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got error %v, want one that contains %q", err, test.want)
			}
			if strings.Contains(err.Error(), "X-Amz-Signature") {
				t.Errorf("error %q contains the signed URL", err)
			}
		})
	}
}

func TestUpload_ChecksFileBeforeRequests(t *testing.T) {
	t.Parallel()
	c, s := dial(t, answer(http.StatusOK, "{}"))
	tooLarge := archive(t, "")
	if err := os.Truncate(tooLarge, 100<<20+1); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, want string }{
		"missing":   {filepath.Join(t.TempDir(), "gone.zip"), "gone.zip"},
		"a folder":  {t.TempDir(), "not a regular file"},
		"too large": {tooLarge, "at most 104857600"},
	} {
		_, err := c.Upload(t.Context(), tokenID, test.path)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that contains %q", name, err, test.want)
		}
	}
	if s.count() != 0 {
		t.Errorf("got %d requests, want 0", s.count())
	}
}

func TestUpload_SendsOnlyWhatItIdentified(t *testing.T) {
	t.Parallel()
	write := func(content string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o600) }
	}
	tests := map[string]struct {
		change  func(path string) error
		refused bool
	}{
		"overwritten": {write("world"), true},
		"truncated":   {write("hel"), true},
		"emptied":     {write(""), true},
		"appended to": {write("hello, world"), false},
		"removed":     {os.Remove, false},
		"replaced by a folder": {func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := &script{answers: []http.HandlerFunc{answer(http.StatusOK, "")}}
			storage := httptest.NewServer(host)
			t.Cleanup(storage.Close)
			path := archive(t, "hello")
			c, _ := dial(t, func(w http.ResponseWriter, r *http.Request) {
				if err := test.change(path); err != nil {
					t.Error(err)
				}
				uploadTo(storage.URL)(w, r)
			})
			got, err := c.Upload(t.Context(), tokenID, path)
			storage.Close() // Waits for the handlers, which write host.bodies.
			if test.refused {
				if err == nil || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), "file changed while it was uploaded") {
					t.Errorf("got %+v, error %v, want one about a changed file", got, err)
				}
				for _, body := range host.bodies {
					if len(body) >= 5 {
						t.Errorf("the host got a complete archive: %q", body)
					}
				}
				if host.count() > 1 {
					t.Errorf("got %d requests, want at most 1", host.count())
				}
				return
			}
			if err != nil || got.Digest != helloDigest() || host.bodies[0] != "hello" {
				t.Errorf("got %+v, bodies %q, error %v", got, host.bodies, err)
			}
		})
	}
}

func TestUpload_RefusesPlainHTTPFromHTTPSAPI(t *testing.T) {
	t.Parallel()
	host := &script{answers: []http.HandlerFunc{answer(http.StatusOK, "")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	const refused = "not encrypted"
	for target, want := range map[string]string{
		"http://192.0.2.1/function.zip?X-Jeton-Signature=signed":           refused,
		"http://functions.example.com/function.zip":                        refused,
		"http://localhost.example.com/function.zip":                        refused,
		"http://127.0.0.1.example.com/":                                    refused,
		"http://[2001:db8::1]/":                                            refused,
		storage.URL + "/":                                                  "",
		strings.Replace(storage.URL, "127.0.0.1", "localhost", 1) + "/x":   "",
		strings.Replace(storage.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1): "",
	} {
		api := httptest.NewTLSServer(&script{answers: []http.HandlerFunc{uploadTo(target)}})
		t.Cleanup(api.Close)
		c, err := client.New(&client.Profile{Profile: &scw.Profile{
			AccessKey: new(accessKey), SecretKey: new(secretKey), APIURL: new(api.URL), DefaultRegion: new("fr-par"), Insecure: new(true),
		}}, "test")
		if err != nil {
			t.Fatal(err)
		}
		_, uploadErr := c.Upload(t.Context(), tokenID, archive(t, "hello"))
		_, downloadErr := c.CodeArchive(t.Context(), tokenID, true)
		for _, err := range []error{uploadErr, downloadErr} {
			if got := fmt.Sprint(err); want != "" && (!strings.Contains(got, want) || strings.Contains(got, "signed")) || want == "" && strings.Contains(got, refused) {
				t.Errorf("%s: got error %v, want %q", target, err, want)
			}
		}
	}
	if host.count() == 0 {
		t.Error("got no requests on the loopback address")
	}
}

func TestReadArchive_DoesNotBlockOnNamedPipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "pipe.zip")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ReadArchive(path, client.Archive{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got error %v, want one that contains \"not a regular file\"", err)
	}
}
