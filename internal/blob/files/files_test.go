package files_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/blobtest"
	"github.com/jeton-dev/jeton/internal/blob/files"
)

func openArchives(t *testing.T, dir string) *files.Archives {
	t.Helper()
	a, err := files.OpenArchives(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func openArtifacts(t *testing.T, dir string) *files.Artifacts {
	t.Helper()
	a, err := files.OpenArtifacts(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestArchives(t *testing.T) {
	t.Parallel()
	blobtest.Archives(t, func(t *testing.T) blob.Archives {
		return openArchives(t, filepath.Join(t.TempDir(), "archives"))
	})
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	blobtest.Artifacts(t, func(t *testing.T) blob.Artifacts {
		return openArtifacts(t, filepath.Join(t.TempDir(), "artifacts"))
	})
}

func TestOpenArchives_RemovesUnfinishedUploads(t *testing.T) {
	t.Parallel()
	dir := blobtest.Folder(t, map[string]string{"function/upload-ABC": "half", "function/digest": "whole"})
	openArchives(t, dir)
	if entries, err := os.ReadDir(filepath.Join(dir, "function")); err != nil || len(entries) != 1 || entries[0].Name() != "digest" {
		t.Errorf("got %v, %v, want the finished archive only", entries, err)
	}
}

func TestSweepWorkspaces(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	artifacts := openArtifacts(t, dir)
	var kept string
	for range 2 {
		workspace, err := artifacts.Workspace(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept = workspace
	}
	if err := os.MkdirAll(filepath.Join(dir, "function", "artifact"), 0o700); err != nil {
		t.Fatal(err)
	}
	busy := errors.New("busy")
	err := artifacts.SweepWorkspaces(func(workspace string) error {
		if workspace == kept {
			return busy
		}
		return nil
	})
	if !errors.Is(err, busy) {
		t.Errorf("got %v, want the error of release", err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(found) != 2 {
		t.Errorf("got %v, %v, want the artifacts and the workspace that was not released", found, err)
	}
}

// IDs and names from a hostile database must not reach files outside of the folders.
func TestNames_ReachNoFileOutside(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	victim := filepath.Join(data, "victim", "file")
	if err := os.MkdirAll(filepath.Dir(victim), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	archives, artifacts := openArchives(t, filepath.Join(data, "archives")), openArtifacts(t, filepath.Join(data, "artifacts"))
	for _, kind := range []string{"archives", "artifacts"} {
		if err := os.Symlink("../victim", filepath.Join(data, kind, "link")); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	for _, id := range []string{"../victim", "..", ".", "", "a/../../victim", filepath.Dir(victim), "link"} {
		if _, err := archives.Put(ctx, id, strings.NewReader("x"), 10, func(blob.Archive) error { return nil }); err == nil {
			t.Errorf("Put(%q) succeeded, want an error", id)
		}
		if f, err := archives.Open(ctx, id, "file"); err == nil {
			_ = f.Close()
			t.Errorf("Open(%q) succeeded, want an error", id)
		}
		if has, _ := artifacts.Has(ctx, blob.Ref{FunctionID: id, Name: "file"}); has {
			t.Errorf("Has(%q) = true, want false", id)
		}
		if has, _ := artifacts.Has(ctx, blob.Ref{FunctionID: "..", Name: id}); has {
			t.Errorf("Has(.., %q) = true, want false", id)
		}
		if dir, _, err := artifacts.Local(ctx, blob.Ref{FunctionID: id, Name: id}); err == nil {
			t.Errorf("Local(%q) = %s, want an error", id, dir)
		}
		_ = artifacts.Keep(ctx, id, func() ([]string, error) { return []string{"other"}, nil })
		_ = artifacts.Delete(ctx, id)
		_ = archives.Prune(ctx, id, func() ([]string, error) { return nil, nil })
		_ = archives.Delete(ctx, id)
		if _, err := os.Stat(victim); err != nil {
			t.Fatalf("%q: a file outside was removed: %v", id, err)
		}
	}
}
