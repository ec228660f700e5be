package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// uploadTo returns the API's answer to where an archive of five bytes goes.
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

// TestDefectF13UploadHostGetsNoSecretKey: the official provider sends the API's
// secret key to whichever host the API names for the upload.
func TestDefectF13UploadHostGetsNoSecretKey(t *testing.T) {
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
		t.Errorf("content type %q", got)
	}
}

func TestUploadIsSentAgain(t *testing.T) {
	t.Parallel()
	host := &script{answers: []http.HandlerFunc{answer(http.StatusServiceUnavailable, ""), answer(http.StatusOK, "")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	c, _ := dial(t, uploadTo(storage.URL))
	if _, err := c.Upload(t.Context(), tokenID, archive(t, "hello")); err != nil {
		t.Fatal(err)
	}
	if host.count() != 2 || host.bodies[1] != "hello" {
		t.Errorf("%d uploads, the last of %q", host.count(), host.bodies[len(host.bodies)-1])
	}
}

func TestUploadErrors(t *testing.T) {
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
		"empty archive":   {"", refusing, "it is empty"},
		"no url":          {"hello", func(*testing.T) string { return "" }, "no usable URL"},
		"a url of a file": {"hello", func(*testing.T) string { return "file:///etc/passwd" }, "no usable URL"},
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
				t.Fatalf("error %v, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), "X-Amz-Signature") {
				t.Errorf("error %q holds the signed URL", err)
			}
		})
	}
}

func TestUploadOfWhatIsNoFile(t *testing.T) {
	t.Parallel()
	c, s := dial(t, answer(http.StatusOK, "{}"))
	tooLarge := archive(t, "")
	if err := os.Truncate(tooLarge, 100<<20+1); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ path, want string }{
		"missing":   {filepath.Join(t.TempDir(), "gone.zip"), "gone.zip"},
		"a folder":  {t.TempDir(), "no regular file"},
		"too large": {tooLarge, "at most 104857600"},
	} {
		_, err := c.Upload(t.Context(), tokenID, test.path)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, test.want)
		}
	}
	if s.count() != 0 {
		t.Errorf("%d requests, want none", s.count())
	}
}
