package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
	"github.com/jeton-dev/jeton/internal/blob/blobtest"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/s3server"
)

func TestLocal_OnAnotherMachine(t *testing.T) {
	t.Parallel()
	c := config(t)
	here := openArtifacts(t, c)
	dir, err := here.Workspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.Mkdir(filepath.Join(dir, "empty"), 0o700), os.Symlink("/usr/bin/env", filepath.Join(dir, "link")),
		os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o777), os.Chmod(filepath.Join(dir, "file"), 0o777),
	); err != nil {
		t.Fatal(err)
	}
	built, err := os.Stat(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	ref := blob.Ref{FunctionID: "f", Name: "artifact"}
	if err := here.Put(t.Context(), ref, dir); err != nil {
		t.Fatal(err)
	}
	got, release, err := openArtifacts(t, elsewhere(t, c)).Local(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	file, err := os.Stat(filepath.Join(got, "file"))
	if err != nil || file.Mode().Perm() != 0o755 || file.ModTime().Unix() != built.ModTime().Unix() {
		t.Errorf("got %v, %v, want mode 0755 and the time of the build", file, err)
	}
	if target, err := os.Readlink(filepath.Join(got, "link")); err != nil || target != "/usr/bin/env" {
		t.Errorf("got link to %s, %v", target, err)
	}
	if empty, err := os.Stat(filepath.Join(got, "empty")); err != nil || !empty.IsDir() {
		t.Errorf("got %v, %v, want an empty folder", empty, err)
	}
}

func TestLocal_ConcurrentCallersUnpackOnce(t *testing.T) {
	t.Parallel()
	c := config(t)
	ref := putArtifact(t, openArtifacts(t, c), "artifact", "content")
	p := &proxy{}
	a := openArtifacts(t, p.through(t, elsewhere(t, c)))
	var group errgroup.Group
	for range 16 {
		group.Go(func() error {
			got, err := content(t.Context(), a, ref)
			if err == nil && got != "content" {
				err = fmt.Errorf("got %q", got)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil || p.count("GET artifacts") != 1 {
		t.Errorf("got %v after %d transfers, want 1", err, p.count("GET artifacts"))
	}
}

// A caller that gives up does not end the transfer for others.
func TestLocal_CanceledCaller(t *testing.T) {
	t.Parallel()
	c := config(t)
	ref := putArtifact(t, openArtifacts(t, c), "artifact", "content")
	arrived, proceed := make(chan struct{}), make(chan struct{})
	p := &proxy{refuse: func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && kind(r) == "artifacts" {
			close(arrived)
			<-proceed
		}
		return false
	}}
	a := openArtifacts(t, p.through(t, elsewhere(t, c)))
	ctx, cancel := context.WithCancel(t.Context())
	var group errgroup.Group
	group.Go(func() error {
		if _, err := content(ctx, a, ref); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("got error %w, want %w", err, context.Canceled)
		}
		return nil
	})
	await.Receive(t, "the transfer", arrived)
	cancel()
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	close(proceed)
	if got, err := content(t.Context(), a, ref); err != nil || got != "content" || p.count("GET artifacts") != 1 {
		t.Errorf("got %q, %v after %d transfers, want 1", got, err, p.count("GET artifacts"))
	}
}

func TestLocal_EvictsLeastRecentlyUsedButNoneInUse(t *testing.T) {
	t.Parallel()
	c := config(t)
	writer := openArtifacts(t, c)
	hundred := strings.Repeat("x", 100<<10)
	var refs []blob.Ref
	for _, name := range []string{"used", "old", "new", "newest"} {
		refs = append(refs, putArtifact(t, writer, name, hundred))
	}
	p := &proxy{}
	small := p.through(t, elsewhere(t, c))
	small.CacheSize = 250 << 10
	a := openArtifacts(t, small)
	inUse, release, err := a.Local(t.Context(), refs[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range refs[1:] {
		if _, err := content(t.Context(), a, ref); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(inUse, "file")); err != nil {
		t.Errorf("the artifact in use: %v", err)
	}
	cached := func() []string {
		found, err := filepath.Glob(filepath.Join(small.Dir, "artifacts", "f", "*"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if got := cached(); len(got) != 2 || !strings.Contains(got[0], "newest") {
		t.Errorf("got %v in the cache, want those in use and used last", got)
	}
	release()
	if _, err := content(t.Context(), a, refs[1]); err != nil {
		t.Fatal(err)
	}
	if got := cached(); len(got) != 2 || !strings.Contains(got[0]+got[1], "old") {
		t.Errorf("got %v in the cache, want two", got)
	}
	// More artifacts in use than the limit permits do not fail.
	for _, ref := range refs {
		_, release, err := a.Local(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
	}
	if got := cached(); len(got) != len(refs) {
		t.Errorf("got %v in the cache, want all in use", got)
	}
}

func TestLocal_ChecksDigestAfterRestart(t *testing.T) {
	t.Parallel()
	c := config(t)
	first := openArtifacts(t, c)
	whole, damaged := putArtifact(t, first, "whole", "content"), putArtifact(t, first, "damaged", "content")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(c.Dir, "artifacts", "f", "damaged.*", "file"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	if err := os.WriteFile(found[0], []byte("contenx"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	second := openArtifacts(t, p.through(t, c))
	for want, ref := range []blob.Ref{whole, damaged} {
		got, err := content(t.Context(), second, ref)
		if err != nil || got != "content" || p.count("GET artifacts") != want {
			t.Errorf("%s: got %q, %v after %d transfers, want %d", ref.Name, got, err, p.count("GET artifacts"), want)
		}
	}
}

func TestBuildCache_SharedByMachines(t *testing.T) {
	t.Parallel()
	c := config(t)
	built := blobtest.Folder(t, map[string]string{"program": "#!"})
	if err := openBuildCache(t, c).Put(t.Context(), "build", built, []byte("notes")); err != nil {
		t.Fatal(err)
	}
	p := &proxy{}
	other := openBuildCache(t, p.through(t, elsewhere(t, c)))
	for range 2 {
		into := filepath.Join(t.TempDir(), "into")
		notes, err := other.Get(t.Context(), "build", into)
		if err != nil || string(notes) != "notes" {
			t.Fatalf("Get() = %q, %v", notes, err)
		}
		if got, err := os.ReadFile(filepath.Join(into, "program")); err != nil || string(got) != "#!" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if got := p.count("GET builds"); got != 1 {
		t.Errorf("got %d transfers, want 1", got)
	}
}

func TestBuildCache_ReplacesDamagedBuild(t *testing.T) {
	t.Parallel()
	c := config(t)
	built := blobtest.Folder(t, map[string]string{"program": "#!"})
	if err := openBuildCache(t, c).Put(t.Context(), "build", built, nil); err != nil {
		t.Fatal(err)
	}
	damageObjects(t, c.Location.Bucket, func(b []byte) []byte { return b[1:] })
	other := openBuildCache(t, elsewhere(t, c))
	_, err := other.Get(t.Context(), "build", filepath.Join(t.TempDir(), "into"))
	wantDamaged(t, err)
	if err := other.Put(t.Context(), "build", built, []byte("replaced")); err != nil {
		t.Fatal(err)
	}
	notes, err := openBuildCache(t, elsewhere(t, c)).Get(t.Context(), "build", filepath.Join(t.TempDir(), "into"))
	if err != nil || string(notes) != "replaced" {
		t.Errorf("Get() = %q, %v, want the second build", notes, err)
	}
}

func TestBuildCache_RemovesOldestObjectsAboveLimit(t *testing.T) {
	t.Parallel()
	c := config(t)
	c.BuildCache = 250 << 10
	builds := openBuildCache(t, c)
	for _, name := range []string{"one", "two", "three"} {
		built := blobtest.Folder(t, map[string]string{"x": strings.Repeat(name, 100<<10/len(name))})
		if err := builds.Put(t.Context(), name, built, nil); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	for _, key := range s3server.Shared(t).Keys(t, c.Location.Bucket) {
		if strings.Contains(key, "/builds/") {
			left++
		}
	}
	if left != 2 {
		t.Errorf("got %d builds in the bucket, want 2", left)
	}
	huge := blobtest.Folder(t, map[string]string{"x": strings.Repeat("x", 251<<10)})
	if err := builds.Put(t.Context(), "huge", huge, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := builds.Get(t.Context(), "huge", filepath.Join(t.TempDir(), "into")); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("got %v for a build above the limit, want %v", err, blob.ErrNotFound)
	}
}
