package blob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob"
)

// TestIDs_ReachNothingOutside has IDs of a hostile database lead out of the folders.
func TestIDs_ReachNothingOutside(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	victim := filepath.Join(data, "victim", "file")
	if err := os.MkdirAll(filepath.Dir(victim), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	archives, err := blob.NewArchives(filepath.Join(data, "archives"))
	if err != nil {
		t.Fatal(err)
	}
	artifacts, err := blob.NewArtifacts(filepath.Join(data, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../victim", filepath.Join(data, "artifacts", "link")); err != nil {
		t.Fatal(err)
	}
	none := func() ([]string, error) { return nil, nil }
	for _, id := range []string{"../victim", "..", ".", "", "a/../../victim", filepath.Dir(victim), "link"} {
		_ = archives.Prune(id, none)
		_, err := archives.Add(id, strings.NewReader("x"), 10, func(blob.Archive) error { return nil })
		if err == nil && id != "link" {
			t.Errorf("an archive of %q was kept", id)
		}
		if f, err := archives.Open(id, "file"); err == nil {
			_ = f.Close()
			t.Errorf("an archive of %q was opened", id)
		}
		if artifacts.Has(id, "file") || artifacts.Has("..", id) {
			t.Errorf("there is an artifact of %q", id)
		}
		_ = artifacts.Keep(id)
		_ = artifacts.Keep(id, "other")
		if _, err := os.Stat(victim); err != nil {
			t.Fatalf("%q: a file outside is gone: %v", id, err)
		}
		if path := artifacts.Path(id, id); !strings.HasPrefix(path, filepath.Join(data, "artifacts")) {
			t.Errorf("the artifact of %q is at %s", id, path)
		}
	}
}
