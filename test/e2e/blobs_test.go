package e2e_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/s3server"
)

// With a bucket, a server needs neither the cache nor the folders of an earlier process,
// and removes the objects of deleted functions.
func TestBlobs_InBucket(t *testing.T) {
	s3, err := s3server.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s3.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey)
	bucket, caches := s3.Bucket(t), t.TempDir()
	inBucket := func(cache string) func(*server.Config) {
		return func(c *server.Config) {
			c.Blobs, c.CacheDir = s3.URL(bucket, "jeton"), filepath.Join(caches, cache)
		}
	}
	w := newWorld(t, seenFromOutside, inBucket("first"))
	n := w.namespace("bucket")
	f := w.function(python(n.ID, "f"), pythonHandler("return 'one'"))
	if status, body := w.call(f, "/", ""); status != 200 || body != "one" {
		t.Fatalf("got %d %s", status, body)
	}
	for _, name := range []string{"archives", "artifacts", "builds"} {
		if exists(filepath.Join(w.DataDir, name)) {
			t.Errorf("%s is in the data folder, want it in the bucket only", name)
		}
		if !slices.ContainsFunc(s3.Keys(t, bucket), func(key string) bool { return strings.HasPrefix(key, "jeton/"+name+"/") }) {
			t.Errorf("the bucket has no %s", name)
		}
	}

	w.restart(inBucket("second"))
	if err := os.RemoveAll(filepath.Join(caches, "first")); err != nil {
		t.Fatal(err)
	}
	if status, body := w.call(f, "/", ""); status != 200 || body != "one" {
		t.Errorf("after a restart with an empty cache: got %d %s", status, body)
	}
	f = w.deploy(f.ID, zipOf(t, pythonHandler("return 'two'")))
	if status, body := w.call(f, "/", ""); status != 200 || body != "two" {
		t.Errorf("after another deployment: got %d %s", status, body)
	}

	must[*function.Function](t)(w.DeleteFunction(&function.DeleteFunctionRequest{FunctionID: f.ID}))
	var left []string
	await.True(t, "the objects of the function are removed", func() bool {
		left = slices.DeleteFunc(s3.Keys(t, bucket), func(key string) bool {
			return strings.HasPrefix(key, "jeton/builds/") || key == "jeton/jeton-installation"
		})
		return len(left) == 0
	})
	if strings.Contains(w.Log.String(), s3server.SecretKey) {
		t.Error("the log contains the secret key of the bucket")
	}

	other := server.DefaultConfig(filepath.Join(t.TempDir(), "data"))
	inBucket("other")(&other)
	other.APIListen, other.GatewayListen, other.OpsListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	if _, err := server.Open(t.Context(), other, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(fmt.Sprint(err), "another installation") {
		t.Errorf("another installation: got %v, want an error", err)
	}
}
