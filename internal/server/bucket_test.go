package server_test

import (
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
	pgtest "github.com/jeton-dev/jeton/test/postgres"
	"github.com/jeton-dev/jeton/test/s3server"
	"github.com/jeton-dev/jeton/test/shared"
)

func TestMain(m *testing.M) { shared.Main(m, pgtest.StopShared, s3server.StopShared) }

// withBucket sets the credentials of the S3 server and returns the URL of a prefix of a
// new bucket.
func withBucket(t *testing.T) func(prefix string) string {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	s3 := s3server.Shared(t)
	bucket := s3.Bucket(t)
	return func(prefix string) string { return s3.URL(bucket, prefix) }
}

func wantOpenError(t *testing.T, c server.Config, want string) {
	t.Helper()
	s, err := server.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	if err == nil {
		_ = s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Open() = %v, want an error with %q", err, want)
	}
}

// closeServer opens and closes a server.
func closeServer(t *testing.T, c server.Config) {
	t.Helper()
	if err := open(t, c).Close(); err != nil {
		t.Fatal(err)
	}
}

// Without its bucket, a server would lack the code of its functions.
func TestOpen_RefusesOtherBlobsThanThoseOfDataFolder(t *testing.T) {
	url := withBucket(t)
	c := config(t)
	c.CacheDir = t.TempDir()
	c.Blobs = url("missing") + "&use_path_style=nonsense"
	wantOpenError(t, c, "use_path_style")
	c.Blobs = url("one")
	closeServer(t, c)
	closeServer(t, c)
	c.Blobs = ""
	wantOpenError(t, c, "/one: pass that URL with --blobs")
	c.Blobs = url("two")
	wantOpenError(t, c, "remove "+filepath.Join(c.DataDir, "bucket.id"))
	if err := os.Remove(filepath.Join(c.DataDir, "bucket.id")); err != nil {
		t.Fatal(err)
	}
	closeServer(t, c)
}

// All servers of a database must use the same bucket.
func TestOpen_RefusesOtherBlobsThanThoseOfDatabase(t *testing.T) {
	url := withBucket(t)
	first, second := config(t), config(t)
	first.Database = pgtest.Database(t)
	first.Blobs, first.CacheDir = url("one"), t.TempDir()
	closeServer(t, first)
	key, err := os.ReadFile(filepath.Join(first.DataDir, "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(second.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(second.DataDir, "secret.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	second.Database, second.CacheDir = first.Database, t.TempDir()
	wantOpenError(t, second, "/one: pass that URL with --blobs")
	second.Blobs = url("two")
	wantOpenError(t, second, "/one: pass that URL with --blobs")
	second.Blobs = url("one")
	closeServer(t, second)
}

// The marker of the bucket and the signatures of URLs do not depend on the sealing key.
func TestOpen_BucketBelongsToInstallationAfterNewSealingKey(t *testing.T) {
	url := withBucket(t)
	c := config(t)
	c.CacheDir, c.Blobs, c.SealingKey = t.TempDir(), url("rotated"), filepath.Join(t.TempDir(), "keys")
	encoded := func(fill string) string {
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32))) + "\n"
	}
	for _, keys := range []string{encoded("1"), encoded("2") + encoded("1")} {
		if err := os.WriteFile(c.SealingKey, []byte(keys), 0o600); err != nil {
			t.Fatal(err)
		}
		closeServer(t, c)
	}
	// A server with a key of its own is another installation.
	other := config(t)
	other.CacheDir, other.Blobs, other.SealingKey = t.TempDir(), c.Blobs, filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(other.SealingKey, []byte(encoded("3")), 0o600); err != nil {
		t.Fatal(err)
	}
	wantOpenError(t, other, "another")
}
