package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestArchive_DependsOnContentOnly(t *testing.T) {
	t.Parallel()
	var archives [2]bytes.Buffer
	for i := range archives {
		dir := t.TempDir()
		names := []string{"b/z", "a", "b/y"}
		if i == 1 {
			names = []string{"b/y", "b/z", "a"}
		}
		for _, name := range names {
			if err := write(filepath.Join(dir, name), []byte(name), 0o640+os.FileMode(i)*0o4); err != nil {
				t.Fatal(err)
			}
		}
		if err := link("../a", filepath.Join(dir, "b/link")); err != nil {
			t.Fatal(err)
		}
		when := time.Unix(int64(1e9*(i+1)), 0)
		if err := os.Chtimes(filepath.Join(dir, "a"), when, when); err != nil {
			t.Fatal(err)
		}
		if err := archive(&archives[i], dir); err != nil {
			t.Fatal(err)
		}
	}
	if archives[0].Len() == 0 || !bytes.Equal(archives[0].Bytes(), archives[1].Bytes()) {
		t.Error("two folders with the same files have different archives")
	}
}

// TestBuild_SameDigestTwice builds images with packages of Debian twice, the second time from
// another folder and without the cached layer.
func TestBuild_SameDigestTwice(t *testing.T) {
	t.Parallel()
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	for _, name := range []string{"pause", "jeton", "jeton-runtime-node"} {
		chosen, err := choose(name)
		if err != nil {
			t.Fatal(err)
		}
		digests := map[string]bool{}
		for range 2 {
			if err := os.RemoveAll(filepath.Join(cache, "layers")); err != nil {
				t.Fatal(err)
			}
			b := builder{output: t.TempDir(), cache: cache, source: source, work: t.TempDir(), repository: "example.test/jeton", version: "1.2.3"}
			digest, err := b.build(t.Context(), chosen[0])
			if err != nil {
				t.Fatal(err)
			}
			digests[digest.String()] = true
		}
		if len(digests) != 1 {
			t.Errorf("%s: got the digests %v", name, digests)
		}
	}
}
