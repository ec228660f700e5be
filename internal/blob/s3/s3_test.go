package s3_test

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/blobtest"
	"github.com/jeton-dev/jeton/internal/blob/s3"
	"github.com/jeton-dev/jeton/test/s3server"
)

func TestMain(m *testing.M) { s3server.Main(m) }

// config returns the configuration of an installation in a new bucket.
func config(t *testing.T) s3.Config {
	t.Helper()
	server := s3server.Shared(t)
	return s3.Config{
		Location:     location(t, server.URL(server.Bucket(t), "some/prefix")),
		Dir:          t.TempDir(),
		CacheSize:    64 << 20,
		BuildCache:   64 << 20,
		Installation: "one",
		Now:          time.Now,
		Credentials:  credentials.NewStaticV4(s3server.AccessKey, s3server.SecretKey, ""),
	}
}

func location(t *testing.T, url string) s3.Location {
	t.Helper()
	l, err := s3.ParseLocation(url)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func open(t *testing.T, c s3.Config) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func openArtifacts(t *testing.T, c s3.Config) *s3.Artifacts {
	t.Helper()
	a, err := open(t, c).Artifacts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func openBuildCache(t *testing.T, c s3.Config) *s3.BuildCache {
	t.Helper()
	builds, err := open(t, c).BuildCache()
	if err != nil {
		t.Fatal(err)
	}
	return builds
}

func TestArchives(t *testing.T) {
	t.Parallel()
	blobtest.Archives(t, func(t *testing.T) blob.Archives { return open(t, config(t)).Archives() })
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	blobtest.Artifacts(t, func(t *testing.T) blob.Artifacts { return openArtifacts(t, config(t)) })
}

func TestBuildCache(t *testing.T) {
	t.Parallel()
	blobtest.BuildCache(t, func(t *testing.T) blob.BuildCache { return openBuildCache(t, config(t)) })
}
