package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/server"
)

// For a user without a home folder, such as a service, the default is a folder that
// other users cannot create.
func TestDefaultCacheDir_WithoutHome(t *testing.T) {
	t.Setenv("HOME", "")
	t.Setenv("XDG_CACHE_HOME", "")
	data := filepath.Join(t.TempDir(), "data")
	if got, want := server.DefaultCacheDir(data), filepath.Join(data, "cache"); got != want {
		t.Errorf("DefaultCacheDir() = %s, want %s", got, want)
	}
	if dir := server.DefaultCacheDir("data"); strings.HasPrefix(dir, os.TempDir()) {
		t.Errorf("DefaultCacheDir() = %s, which other users can create", dir)
	}
}

func TestValidate_RefusesBuildsThatLeakOrNeverRun(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*server.Config){
		"credentials":        func(c *server.Config) { c.Crates = "sparse+https://user:hunter22@crates.example.com/" },
		"an S3 URL":          func(c *server.Config) { c.Blobs = "s3://key:hunter22@bucket/" },
		"blob-cache":         func(c *server.Config) { c.BlobCache = 0 },
		"builds is 0":        func(c *server.Config) { c.BuildsAtOnce = 0 },
		"build-disk is 0":    func(c *server.Config) { c.BuildDisk = 0 },
		"cache-size is -1":   func(c *server.Config) { c.CacheSize = -1 },
		"project-cache-size": func(c *server.Config) { c.ProjectCacheSize = 0 },
	} {
		c := server.DefaultConfig(t.TempDir())
		change(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter22") {
			t.Errorf("Validate() = %v, want %q", err, want)
		}
	}
}
