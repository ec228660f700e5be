package client_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// helloDigest is the digest of the archive "hello".
func helloDigest() string {
	digest := sha256.Sum256([]byte("hello"))
	return hex.EncodeToString(digest[:])
}

func TestArchiveDigest(t *testing.T) {
	t.Parallel()
	if got, err := client.ArchiveDigest(archive(t, "hello")); err != nil || got != helloDigest() {
		t.Errorf("the digest is %q: %v", got, err)
	}
	for name, path := range map[string]string{"no file": filepath.Join(t.TempDir(), "gone.zip"), "a folder": t.TempDir(), "an empty file": archive(t, "")} {
		if got, err := client.ArchiveDigest(path); err == nil {
			t.Errorf("%s has the digest %q", name, got)
		}
	}
}

func TestUploadReturnsTheDigest(t *testing.T) {
	t.Parallel()
	storage := httptest.NewServer(&script{answers: []http.HandlerFunc{answer(http.StatusOK, "")}})
	t.Cleanup(storage.Close)
	c, _ := dial(t, uploadTo(storage.URL))
	if got, err := c.Upload(t.Context(), tokenID, archive(t, "hello")); err != nil || got != helloDigest() {
		t.Errorf("the digest is %q: %v", got, err)
	}
}

// TestCodeDigest reads the code back, and tells the host that keeps it nothing
// that the API did not ask for.
func TestCodeDigest(t *testing.T) {
	t.Parallel()
	host := &script{answers: []http.HandlerFunc{answer(http.StatusOK, "hello"), answer(http.StatusForbidden, "<Error/>")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	source := answer(http.StatusOK, fmt.Sprintf(`{"url":%q,"headers":{"x-amz-meta":["1"]}}`, storage.URL+"/function.zip?X-Amz-Signature=signed"))
	c, _ := dial(t, source, source, answer(http.StatusNotFound, `{"message":"no code"}`), answer(http.StatusOK, `{"url":"file:///etc/passwd"}`))
	if got, err := c.CodeDigest(t.Context(), tokenID); err != nil || got != helloDigest() {
		t.Errorf("the digest is %q: %v", got, err)
	}
	for name, values := range host.requests[0].Header {
		if name != "X-Amz-Meta" {
			t.Errorf("sent a header that the API did not ask for: %s: %v", name, values)
		}
	}
	for _, want := range []string{"403 Forbidden", "no code", "no usable URL"} {
		got, err := c.CodeDigest(t.Context(), tokenID)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "signed") {
			t.Errorf("the digest is %q, the error %v, want %q", got, err, want)
		}
	}
}
