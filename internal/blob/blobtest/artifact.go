package blobtest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/blob"
)

// Artifacts tests an implementation. Open returns a new and empty one.
func Artifacts(t *testing.T, open func(t *testing.T) blob.Artifacts) {
	for name, test := range map[string]func(*testing.T, blob.Artifacts){
		"PutAndLocal":              putAndLocal,
		"KeepRemovesTheRest":       keepRemovesTheRest,
		"KeepAndPutExclude":        keepAndPutExclude,
		"DeleteRemovesOneFunction": deleteArtifacts,
		"InvalidNames":             invalidArtifactNames,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func workspace(t *testing.T, a blob.Artifacts) string {
	t.Helper()
	dir, err := a.Workspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// putArtifact stores an artifact that consists of one file with its name.
func putArtifact(t *testing.T, a blob.Artifacts, functionID, name string) blob.Ref {
	t.Helper()
	ref := blob.Ref{FunctionID: functionID, Name: name}
	dir := workspace(t, a)
	fill(t, dir, map[string]string{"name": name})
	if err := a.Put(t.Context(), ref, dir); err != nil {
		t.Fatal(err)
	}
	return ref
}

func wantArtifact(t *testing.T, a blob.Artifacts, ref blob.Ref, want map[string]string) {
	t.Helper()
	if has, err := a.Has(t.Context(), ref); err != nil || !has {
		t.Errorf("Has(%v) = %t, %v, want true", ref, has, err)
	}
	dir, release, err := a.Local(t.Context(), ref)
	if err != nil {
		t.Errorf("Local(%v): %v", ref, err)
		return
	}
	wantFiles(t, dir, want)
	release()
	release()
}

func wantNoArtifact(t *testing.T, a blob.Artifacts, ref blob.Ref) {
	t.Helper()
	if has, err := a.Has(t.Context(), ref); err != nil || has {
		t.Errorf("Has(%v) = %t, %v, want false", ref, has, err)
	}
	if dir, _, err := a.Local(t.Context(), ref); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Local(%v) = %s, %v, want %v", ref, dir, err, blob.ErrNotFound)
	}
}

func putAndLocal(t *testing.T, a blob.Artifacts) {
	ref := blob.Ref{FunctionID: "f", Name: "artifact"}
	wantNoArtifact(t, a, ref)
	built := filepath.Join(workspace(t, a), "built") // A folder within a workspace can be stored too.
	fill(t, built, map[string]string{"a/b": "content", "program": "#!"})
	if err := os.Symlink("../program", filepath.Join(built, "a", "link")); err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), ref, built); err != nil {
		t.Fatal(err)
	}
	wantArtifact(t, a, ref, map[string]string{"a/b": "content", "program": "#!", "a/link": "#!"})
	dir, release, err := a.Local(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if info, err := os.Stat(filepath.Join(dir, "program")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("got mode %v, %v, want 0755", info.Mode(), err)
	}
	wantNoArtifact(t, a, blob.Ref{FunctionID: "another", Name: "artifact"})
	ids, err := a.Functions(t.Context())
	if err != nil || !slices.Equal(ids, []string{"f"}) {
		t.Errorf("Functions() = %v, %v, want f", ids, err)
	}
}

// names returns a callback for Keep.
func names(needed ...string) func() ([]string, error) {
	return func() ([]string, error) { return needed, nil }
}

func keepRemovesTheRest(t *testing.T, a blob.Artifacts) {
	one, two, other := putArtifact(t, a, "f", "one"), putArtifact(t, a, "f", "two"), putArtifact(t, a, "other", "one")
	unknown := errors.New("unknown")
	if err := a.Keep(t.Context(), "f", func() ([]string, error) { return nil, unknown }); !errors.Is(err, unknown) {
		t.Errorf("Keep() = %v, want %v", err, unknown)
	}
	wantArtifact(t, a, one, map[string]string{"name": "one"})
	if err := a.Keep(t.Context(), "f", names("two", "unknown")); err != nil {
		t.Error(err)
	}
	wantNoArtifact(t, a, one)
	wantArtifact(t, a, two, map[string]string{"name": "two"})
	wantArtifact(t, a, other, map[string]string{"name": "one"})
	for range 2 { // Also where nothing is left.
		if err := a.Keep(t.Context(), "f", names()); err != nil {
			t.Error(err)
		}
	}
	wantNoArtifact(t, a, two)
}

// keepAndPutExclude stores an artifact after Keep has read which ones are needed.
func keepAndPutExclude(t *testing.T, a blob.Artifacts) {
	putArtifact(t, a, "f", "old")
	dir, ref := workspace(t, a), blob.Ref{FunctionID: "f", Name: "new"}
	fill(t, dir, map[string]string{"name": "new"})
	stored := make(chan error, 1)
	err := a.Keep(t.Context(), "f", func() ([]string, error) {
		began := make(chan struct{})
		go func() {
			close(began)
			stored <- a.Put(t.Context(), ref, dir)
		}()
		<-began
		// Put waits for the end of Keep. This time lets a Put that does not wait
		// store the artifact, which Keep then removes.
		select {
		case err := <-stored:
			stored <- err
		case <-time.After(10 * time.Millisecond):
		}
		return nil, nil
	})
	if err := errors.Join(err, <-stored); err != nil {
		t.Fatal(err)
	}
	wantArtifact(t, a, ref, map[string]string{"name": "new"})
	wantNoArtifact(t, a, blob.Ref{FunctionID: "f", Name: "old"})
}

func deleteArtifacts(t *testing.T, a blob.Artifacts) {
	one, other := putArtifact(t, a, "f", "one"), putArtifact(t, a, "other", "one")
	for range 2 {
		if err := a.Delete(t.Context(), "f"); err != nil {
			t.Error(err)
		}
	}
	wantNoArtifact(t, a, one)
	wantArtifact(t, a, other, map[string]string{"name": "one"})
}

func invalidArtifactNames(t *testing.T, a blob.Artifacts) {
	ctx := t.Context()
	for name := range invalidNames() {
		for _, ref := range []blob.Ref{{FunctionID: name, Name: "name"}, {FunctionID: "f", Name: name}} {
			_, hasErr := a.Has(ctx, ref)
			_, _, localErr := a.Local(ctx, ref)
			for call, err := range map[string]error{"Put": a.Put(ctx, ref, workspace(t, a)), "Has": hasErr, "Local": localErr} {
				if !errors.Is(err, blob.ErrInvalidName) {
					t.Errorf("%s(%+v) = %v, want %v", call, ref, err, blob.ErrInvalidName)
				}
			}
		}
		for call, err := range map[string]error{"Keep": a.Keep(ctx, name, names("x")), "Delete": a.Delete(ctx, name)} {
			if !errors.Is(err, blob.ErrInvalidName) {
				t.Errorf("%s(%q) = %v, want %v", call, name, err, blob.ErrInvalidName)
			}
		}
	}
}
