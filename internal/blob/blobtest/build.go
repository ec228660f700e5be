package blobtest

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob"
)

// BuildCache tests an implementation. Open returns a new and empty one with a limit
// of at least 1 MiB.
func BuildCache(t *testing.T, open func(t *testing.T) blob.BuildCache) {
	t.Run("PutAndGet", func(t *testing.T) {
		t.Parallel()
		putAndGet(t, open(t))
	})
	t.Run("InvalidNames", func(t *testing.T) {
		t.Parallel()
		c := open(t)
		for name := range invalidNames() {
			_, err := c.Get(t.Context(), name, filepath.Join(t.TempDir(), "into"))
			for call, err := range map[string]error{"Get": err, "Put": c.Put(t.Context(), name, t.TempDir(), nil)} {
				if !errors.Is(err, blob.ErrInvalidName) {
					t.Errorf("%s(%q) = %v, want %v", call, name, err, blob.ErrInvalidName)
				}
			}
		}
	})
}

func putAndGet(t *testing.T, c blob.BuildCache) {
	into := filepath.Join(t.TempDir(), "into")
	if _, err := c.Get(t.Context(), "one", into); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get() = %v, want %v", err, blob.ErrNotFound)
	}
	built := Folder(t, map[string]string{"a/b": "content", "program": "#!"})
	if err := os.Symlink("../program", filepath.Join(built, "a", "link")); err != nil {
		t.Fatal(err)
	}
	for _, notes := range []string{"notes", "of another build with the same input"} {
		if err := c.Put(t.Context(), "one", built, []byte(notes)); err != nil {
			t.Fatal(err)
		}
	}
	// The cache does not need the original.
	if err := os.RemoveAll(built); err != nil {
		t.Fatal(err)
	}
	notes, err := c.Get(t.Context(), "one", into)
	if err != nil || string(notes) != "notes" {
		t.Fatalf("Get() = %q, %v, want the notes of the first build", notes, err)
	}
	wantFiles(t, into, map[string]string{"a/b": "content", "program": "#!", "a/link": "#!"})
	if info, err := os.Stat(filepath.Join(into, "program")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got mode %v, %v, want 0755", info.Mode(), err)
	}
}
