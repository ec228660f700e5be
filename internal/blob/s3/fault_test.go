package s3_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/test/s3server"
)

func accept(blob.Archive) error { return nil }

// putArtifact stores an artifact with one file and returns its name.
func putArtifact(t *testing.T, a *s3.Artifacts, name, content string) blob.Ref {
	t.Helper()
	dir, err := a.Workspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ref := blob.Ref{FunctionID: "f", Name: name}
	if err := a.Put(t.Context(), ref, dir); err != nil {
		t.Fatal(err)
	}
	return ref
}

// content returns the file of an artifact.
func content(ctx context.Context, a *s3.Artifacts, ref blob.Ref) (string, error) {
	dir, release, err := a.Local(ctx, ref)
	if err != nil {
		return "", err
	}
	defer release()
	data, err := os.ReadFile(filepath.Join(dir, "file"))
	return string(data), err
}

func elsewhere(t *testing.T, c s3.Config) s3.Config {
	t.Helper()
	c.Dir = t.TempDir()
	return c
}

// cut ends the connection of a request.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestRequests_AreRepeatedAfterFailures(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(http.ResponseWriter){
		"cut":         cut,
		"unavailable": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"slow down": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "<Error><Code>SlowDown</Code></Error>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			p := &proxy{refuse: func(w http.ResponseWriter, r *http.Request) bool {
				_, _ = io.Copy(io.Discard, r.Body)
				if requests.Add(1)%2 == 0 {
					return false
				}
				fail(w)
				return true
			}}
			// The body of a request that is passed on must be complete.
			p.refuse = onlyReads(p.refuse)
			archives := open(t, p.through(t, config(t))).Archives()
			archive, err := archives.Put(t.Context(), "f", strings.NewReader("content"), 100, accept)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := archives.Open(t.Context(), "f", archive.Digest)
			if err != nil {
				t.Fatal(err)
			}
			_ = opened.Close()
			if err := archives.Delete(t.Context(), "f"); err != nil {
				t.Error(err)
			}
		})
	}
}

func onlyReads(refuse func(http.ResponseWriter, *http.Request) bool) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool { return r.Method != http.MethodPut && refuse(w, r) }
}

func TestLocal_RepeatsTransfersThatAreCut(t *testing.T) {
	t.Parallel()
	c := config(t)
	ref := putArtifact(t, openArtifacts(t, c), "artifact", strings.Repeat("x", 1<<20))
	var cuts atomic.Int64
	p := &proxy{change: func(r *http.Response) error {
		if r.Request.Method == http.MethodGet && kind(r.Request) == "artifacts" && cuts.Add(1) < 3 {
			r.Body = io.NopCloser(io.LimitReader(r.Body, 1000))
		}
		return nil
	}}
	got, err := content(t.Context(), openArtifacts(t, p.through(t, elsewhere(t, c))), ref)
	if err != nil || len(got) != 1<<20 || cuts.Load() != 3 {
		t.Errorf("got %d bytes, %v, after %d transfers", len(got), err, cuts.Load())
	}
}

func TestPut_FailedUploadLeavesNothing(t *testing.T) {
	t.Parallel()
	p := &proxy{refuse: func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || kind(r) != "archives" {
			return false
		}
		_, _ = io.CopyN(io.Discard, r.Body, 1000)
		cut(w)
		return true
	}}
	c := p.through(t, config(t))
	archives := open(t, c).Archives()
	_, err := archives.Put(t.Context(), "f", bytes.NewReader(make([]byte, 1<<20)), 1<<20, func(blob.Archive) error {
		t.Error("an archive that was not uploaded was committed")
		return nil
	})
	if err == nil {
		t.Error("got no error for a failed upload")
	}
	if ids, err := archives.Functions(t.Context()); err != nil || len(ids) > 0 {
		t.Errorf("Functions() = %v, %v, want none", ids, err)
	}
}

func TestReads_RefuseDamagedObjects(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]byte) []byte{
		"changed":   func(b []byte) []byte { return append([]byte{b[0] ^ 1}, b[1:]...) },
		"truncated": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":     func([]byte) []byte { return nil },
		"longer":    func(b []byte) []byte { return append(b, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			archives := open(t, c).Archives()
			archive, err := archives.Put(t.Context(), "f", strings.NewReader("content"), 100, accept)
			if err != nil {
				t.Fatal(err)
			}
			ref := putArtifact(t, openArtifacts(t, c), "artifact", "content")
			damageObjects(t, c.Location.Bucket, damage)
			_, err = archives.Open(t.Context(), "f", archive.Digest)
			wantDamaged(t, err)
			_, err = content(t.Context(), openArtifacts(t, elsewhere(t, c)), ref)
			wantDamaged(t, err)
		})
	}
}

func wantDamaged(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "the object is damaged") {
		t.Errorf("got %v, want an error for a damaged object", err)
	}
}

// damageObjects changes all objects but the marker.
func damageObjects(t *testing.T, bucket string, damage func([]byte) []byte) {
	t.Helper()
	server := s3server.Shared(t)
	client := server.Client(t)
	for _, key := range server.Keys(t, bucket) {
		if strings.HasSuffix(key, "jeton-installation") {
			continue
		}
		got, err := client.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(got)
		if err != nil {
			t.Fatal(err)
		}
		putObject(t, bucket, key, damage(data))
	}
}

func putObject(t *testing.T, bucket, key string, data []byte) {
	t.Helper()
	_, err := s3server.Shared(t).Client(t).PutObject(t.Context(), bucket, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// endless is a body without end.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) { return copy(p, e.text), nil }

func (endless) Close() error { return nil }

// A hostile service sends answers without end.
func TestReads_BoundHostileAnswers(t *testing.T) {
	t.Parallel()
	c := config(t)
	ref := putArtifact(t, openArtifacts(t, c), "artifact", "content")
	for name, body := range map[string]string{
		"list":  "<ListBucketResult><Contents>",
		"GET":   "\x00",
		"error": "<Error><Code>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var hostile atomic.Bool
			p := &proxy{change: func(r *http.Response) error {
				if hostile.Load() && (name == "GET") == (kind(r.Request) == "artifacts") {
					r.Body, r.ContentLength = endless{body}, -1
					r.Header.Del("Content-Length")
					if name == "error" {
						r.StatusCode = http.StatusConflict
					}
				}
				return nil
			}}
			a := openArtifacts(t, p.through(t, elsewhere(t, c)))
			hostile.Store(true)
			if got, err := content(t.Context(), a, ref); err == nil {
				t.Errorf("got %q, want an error", got)
			}
		})
	}
}

func TestList_IgnoresKeysThatAreNoNames(t *testing.T) {
	t.Parallel()
	c := config(t)
	archives := open(t, c).Archives()
	for _, key := range []string{"archives/f/x", "archives/f/a/b/c/d", "archives/other"} {
		putObject(t, c.Location.Bucket, c.Location.Prefix+key, nil)
	}
	if ids, err := archives.Functions(t.Context()); err != nil || len(ids) != 1 || ids[0] != "f" {
		t.Errorf("Functions() = %v, %v, want f", ids, err)
	}
	if err := archives.Delete(t.Context(), "f"); err != nil {
		t.Error(err)
	}
	if size, err := archives.Size(t.Context(), "f", "a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Size() = %d, %v, want %v", size, err, blob.ErrNotFound)
	}
}

func TestLocal_RefusesHostileTarFiles(t *testing.T) {
	t.Parallel()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("unchanged"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := func(name string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: 1, Mode: 0o644}
	}
	link := func(name, target string) *tar.Header {
		return &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
	}
	for name, headers := range map[string][]*tar.Header{
		"parent":          {file("../x")},
		"absolute":        {file(victim)},
		"not clean":       {file("a/../b")},
		"no folder":       {file("a/b")},
		"itself":          {{Typeflag: tar.TypeDir, Name: "./"}},
		"twice":           {file("a"), file("a")},
		"through a link":  {link("a", filepath.Dir(victim)), file("a/victim")},
		"link to victim":  {link("a", victim), file("a")},
		"folder and link": {link("a", filepath.Dir(victim)), {Typeflag: tar.TypeDir, Name: "a/"}, file("a/victim")},
		"hard link":       {{Typeflag: tar.TypeLink, Name: "a", Linkname: victim}},
		"device":          {{Typeflag: tar.TypeBlock, Name: "a", Devmajor: 8}},
		"pipe":            {{Typeflag: tar.TypeFifo, Name: "a"}},
		"deep":            deep(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config(t)
			a := openArtifacts(t, c)
			var packed bytes.Buffer
			w := tar.NewWriter(&packed)
			for _, h := range headers {
				if err := w.WriteHeader(h); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(make([]byte, h.Size)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			digest := sha256.Sum256(packed.Bytes())
			putObject(t, c.Location.Bucket, c.Location.Prefix+"artifacts/f/hostile/"+hex.EncodeToString(digest[:]), packed.Bytes())
			dir, _, err := a.Local(t.Context(), blob.Ref{FunctionID: "f", Name: "hostile"})
			if err == nil {
				t.Errorf("Local() = %s, want an error", dir)
			}
			if got, err := os.ReadFile(victim); err != nil || string(got) != "unchanged" {
				t.Errorf("a file outside: got %q, %v", got, err)
			}
			left, err := filepath.Glob(filepath.Join(c.Dir, "artifacts", "*"))
			if err != nil || len(left) > 0 {
				t.Errorf("got %v, %v, want no files left", left, err)
			}
		})
	}
}

// deep returns folders nested deeper than an artifact may have.
func deep() []*tar.Header {
	var headers []*tar.Header
	for name := "d"; len(headers) < 200; name += "/d" {
		headers = append(headers, &tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
	}
	return headers
}
