package client_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/provider/client"
)

// helloDigest is the digest of the archive "hello".
func helloDigest() string {
	digest := sha256.Sum256([]byte("hello"))
	return hex.EncodeToString(digest[:])
}

// entry is an entry of a test's archive.
type entry struct {
	name, content string
	mode          fs.FileMode
	modified      time.Time
	stored        bool
}

func pack(t testing.TB, entries ...entry) string {
	t.Helper()
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: e.modified}
		if e.stored {
			header.Method = zip.Store
		}
		if e.mode != 0 {
			header.SetMode(e.mode)
		}
		f, err := w.CreateHeader(header)
		if err == nil && e.content != "" {
			_, err = f.Write([]byte(e.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

func read(t *testing.T, content string) client.Archive {
	t.Helper()
	a, err := client.ReadArchive(archive(t, content), client.Archive{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestArchiveSame_ComparesWhatABuildObserves(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 7, 3, 13, 0, 0, 0, time.UTC)
	first := pack(t, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644})
	tests := map[string]struct {
		archive string
		same    bool
	}{
		"the same bytes":        {first, true},
		"another order":         {pack(t, entry{name: "lib/b.js", content: "two", mode: 0o644}, entry{name: "a.js", content: "one", mode: 0o644}), true},
		"other times":           {pack(t, entry{name: "a.js", content: "one", mode: 0o644, modified: then}, entry{name: "lib/b.js", content: "two", mode: 0o644, modified: then}), true},
		"another compression":   {pack(t, entry{name: "a.js", content: "one", mode: 0o644, stored: true}, entry{name: "lib/b.js", content: "two", mode: 0o644}), true},
		"an entry for a folder": {pack(t, entry{name: "lib/"}, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}), true},
		"another umask":         {pack(t, entry{name: "a.js", content: "one", mode: 0o600}, entry{name: "lib/b.js", content: "two", mode: 0o664}), true},
		"executable":            {pack(t, entry{name: "a.js", content: "one", mode: 0o755}, entry{name: "lib/b.js", content: "two", mode: 0o644}), false},
		"a symbolic link":       {pack(t, entry{name: "a.js", content: "one", mode: fs.ModeSymlink | 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}), false},
		"other content":         {pack(t, entry{name: "a.js", content: "ONE", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}), false},
		"swapped content":       {pack(t, entry{name: "a.js", content: "two", mode: 0o644}, entry{name: "lib/b.js", content: "one", mode: 0o644}), false},
		"another name":          {pack(t, entry{name: "A.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}), false},
		"a missing file":        {pack(t, entry{name: "a.js", content: "one", mode: 0o644}), false},
		"an additional file":    {pack(t, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}, entry{name: "c.js", mode: 0o644}), false},
		"an empty folder":       {pack(t, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}, entry{name: "z/"}), false},
		"a duplicate name":      {pack(t, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "a.js", content: "one", mode: 0o644}, entry{name: "lib/b.js", content: "two", mode: 0o644}), false},
		"truncated":             {first[:len(first)-1], false},
		"not a zip":             {"hello", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := read(t, first), read(t, test.archive)
			if before.Same(after) != test.same || after.Same(before) != test.same {
				t.Errorf("Same of %+v and %+v is %t, want %t", before, after, before.Same(after), test.same)
			}
		})
	}
	if unknown := (client.Archive{}); unknown.Same(unknown) || unknown.Known() {
		t.Error("the zero value is known")
	}
	if other := read(t, "hello"); !other.Same(read(t, "hello")) || other.Content != "" {
		t.Errorf("a file that is not a zip: got %+v", other)
	}
	if got, err := client.ReadArchive(archive(t, "hello"), client.Archive{Digest: helloDigest(), Content: "c1:known"}); err != nil || got.Content != "c1:known" {
		t.Errorf("a known archive: got %+v, error %v", got, err)
	}
}

func TestContentDigest_BoundsUnpackedSize(t *testing.T) {
	t.Parallel()
	zeros := strings.Repeat("\x00", 1<<20)
	bomb := pack(t, entry{name: "a", content: zeros}, entry{name: "b", content: zeros})
	for limit, want := range map[int64]bool{2 << 20: true, 2<<20 - 1: false, 1 << 20: false, 0: false} {
		if got := client.ContentDigest(bomb, limit); (got != "") != want {
			t.Errorf("limit %d, unpacked size %d: got digest %q, want one: %t", limit, 2<<20, got, want)
		}
	}
}

func TestReadArchive_RefusesWhatIsNotAnArchive(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"no file": filepath.Join(t.TempDir(), "gone.zip"), "a folder": t.TempDir(), "an empty file": archive(t, "")} {
		if got, err := client.ReadArchive(path, client.Archive{}); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestUpload_ReturnsDigest(t *testing.T) {
	t.Parallel()
	storage := httptest.NewServer(&script{answers: []http.HandlerFunc{answer(http.StatusOK, "")}})
	t.Cleanup(storage.Close)
	c, _ := dial(t, uploadTo(storage.URL))
	if got, err := c.Upload(t.Context(), tokenID, archive(t, "hello")); err != nil || got.Digest != helloDigest() {
		t.Errorf("got %+v, error %v", got, err)
	}
}

func TestCodeArchive_SendsOnlyHeadersOfTheAPI(t *testing.T) {
	t.Parallel()
	code := pack(t, entry{name: "a.js", content: "one", mode: 0o644})
	digest := sha256.Sum256([]byte(code))
	withDigest := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Repr-Digest", "sha-512=:AA==:, sha-256=:"+base64.StdEncoding.EncodeToString(digest[:])+":")
		answer(http.StatusOK, code)(w, r)
	}
	host := &script{answers: []http.HandlerFunc{answer(http.StatusOK, code), withDigest, withDigest, answer(http.StatusForbidden, "<Error/>")}}
	storage := httptest.NewServer(host)
	t.Cleanup(storage.Close)
	source := answer(http.StatusOK, fmt.Sprintf(`{"url":%q,"headers":{"x-amz-meta":["1"]}}`, storage.URL+"/function.zip?X-Amz-Signature=signed"))
	c, _ := dial(t, source, source, source, source, answer(http.StatusNotFound, `{"message":"no code"}`), answer(http.StatusOK, `{"url":"file:///etc/passwd"}`))
	whole := read(t, code)
	for _, test := range []struct {
		whole bool
		want  client.Archive
	}{{false, whole}, {false, client.Archive{Digest: whole.Digest}}, {true, whole}} {
		if got, err := c.CodeArchive(t.Context(), tokenID, test.whole); err != nil || got != test.want {
			t.Errorf("got %+v, error %v, want %+v", got, err, test.want)
		}
	}
	for name, values := range host.requests[0].Header {
		if name != "X-Amz-Meta" {
			t.Errorf("sent a header that the API did not ask for: %s: %v", name, values)
		}
	}
	for _, want := range []string{"403 Forbidden", "no code", "no usable URL"} {
		got, err := c.CodeArchive(t.Context(), tokenID, true)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "signed") {
			t.Errorf("got %+v, error %v, want an error that contains %q", got, err, want)
		}
	}
}

func TestCodeArchive_BoundsDownload(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]string{client.MaxArchiveBytes: "", client.MaxArchiveBytes + 1: "too large"} {
		storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 1<<20)
			for left := size; left > 0; left -= int64(len(chunk)) {
				if _, err := w.Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
					return
				}
			}
		}))
		t.Cleanup(storage.Close)
		c, _ := dial(t, answer(http.StatusOK, fmt.Sprintf(`{"url":%q}`, storage.URL)))
		if _, err := c.CodeArchive(t.Context(), tokenID, true); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bytes: got error %v, want %q", size, err, want)
		}
	}
}
