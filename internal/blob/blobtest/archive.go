package blobtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sync/errgroup"

	"github.com/jeton-dev/jeton/internal/blob"
)

// The digests of "content".
const (
	contentSHA256 = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"
	contentMD5    = "9a0364b9e99bb480dd25e1f0284c8555"
)

func accept(blob.Archive) error { return nil }

// invalidNames yields texts that name no function, archive or artifact.
func invalidNames() iter.Seq[string] {
	return slices.Values([]string{"", ".", "..", "../x", "a/b", "/a"})
}

// Archives tests an implementation. Open returns a new and empty one.
func Archives(t *testing.T, open func(t *testing.T) blob.Archives) {
	for name, test := range map[string]func(*testing.T, blob.Archives){
		"PutAndOpen":                    putAndOpen,
		"PutBoundsTheSize":              putBoundsTheSize,
		"PutReturnsTheErrorOfTheReader": putReaderError,
		"PutUndoesWhatIsNotCommitted":   putUndoesFailedCommit,
		"PruneKeepsWhatIsNeeded":        pruneKeepsNeeded,
		"PruneKeepsWhatIsCommitted":     pruneKeepsCommitted,
		"DeleteRemovesOneFunction":      deleteArchives,
		"UsageAddsUp":                   usageAddsUp,
		"InvalidNames":                  invalidArchiveNames,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// put stores an archive and returns its digest.
func put(t *testing.T, a blob.Archives, functionID, content string) string {
	t.Helper()
	archive, err := a.Put(t.Context(), functionID, strings.NewReader(content), int64(len(content)), accept)
	if err != nil {
		t.Fatal(err)
	}
	return archive.Digest
}

func read(ctx context.Context, a blob.Archives, functionID, digest string) (string, error) {
	content, err := a.Open(ctx, functionID, digest)
	if err != nil {
		return "", err
	}
	defer content.Close()
	data, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size()))
	return string(data), err
}

func wantArchive(t *testing.T, a blob.Archives, functionID, digest, want string) {
	t.Helper()
	if got, err := read(t.Context(), a, functionID, digest); err != nil || got != want {
		t.Errorf("Open(%s) = %q, %v, want %q", digest, got, err, want)
	}
}

func wantNoArchive(t *testing.T, a blob.Archives, functionID, digest string) {
	t.Helper()
	if got, err := read(t.Context(), a, functionID, digest); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Open(%s) = %q, %v, want %v", digest, got, err, blob.ErrNotFound)
	}
	if size, err := a.Size(t.Context(), functionID, digest); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Size(%s) = %d, %v, want %v", digest, size, err, blob.ErrNotFound)
	}
}

func putAndOpen(t *testing.T, a blob.Archives) {
	wantNoArchive(t, a, "f", contentSHA256)
	want := blob.Archive{Digest: contentSHA256, MD5: contentMD5, Size: 7}
	for range 2 { // An archive can be stored again.
		var committed blob.Archive
		got, err := a.Put(t.Context(), "f", strings.NewReader("content"), 7, func(archive blob.Archive) error {
			committed = archive
			return nil
		})
		if err != nil || got != want || committed != want {
			t.Fatalf("Put() = %+v, %v, committed %+v, want %+v", got, err, committed, want)
		}
	}
	wantArchive(t, a, "f", contentSHA256, "content")
	wantNoArchive(t, a, "another", contentSHA256)
	if size, err := a.Size(t.Context(), "f", contentSHA256); err != nil || size != 7 {
		t.Errorf("Size() = %d, %v, want 7", size, err)
	}
	put(t, a, "empty", "")
	ids, err := a.Functions(t.Context())
	if slices.Sort(ids); err != nil || !slices.Equal(ids, []string{"empty", "f"}) {
		t.Errorf("Functions() = %v, %v", ids, err)
	}
}

func putBoundsTheSize(t *testing.T, a blob.Archives) {
	_, err := a.Put(t.Context(), "f", strings.NewReader("content"), 6, func(blob.Archive) error {
		t.Error("an archive that is too large was committed")
		return nil
	})
	if !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("Put() = %v, want %v", err, blob.ErrTooLarge)
	}
	wantNoArchive(t, a, "f", contentSHA256)
}

func putReaderError(t *testing.T, a blob.Archives) {
	broken := errors.New("connection reset")
	r := io.MultiReader(strings.NewReader("content"), iotest.ErrReader(broken))
	if _, err := a.Put(t.Context(), "f", r, 100, accept); !errors.Is(err, broken) {
		t.Errorf("Put() = %v, want %v", err, broken)
	}
	wantNoArchive(t, a, "f", contentSHA256)
}

func putUndoesFailedCommit(t *testing.T, a blob.Archives) {
	refused := errors.New("refused")
	refuse := func(blob.Archive) error { return refused }
	if _, err := a.Put(t.Context(), "f", strings.NewReader("content"), 7, refuse); !errors.Is(err, refused) {
		t.Errorf("Put() = %v, want %v", err, refused)
	}
	wantNoArchive(t, a, "f", contentSHA256)
	// An archive that was committed before stays.
	put(t, a, "f", "content")
	if _, err := a.Put(t.Context(), "f", strings.NewReader("content"), 7, refuse); !errors.Is(err, refused) {
		t.Errorf("Put() = %v, want %v", err, refused)
	}
	wantArchive(t, a, "f", contentSHA256, "content")
}

func pruneKeepsNeeded(t *testing.T, a blob.Archives) {
	one, two, other := put(t, a, "f", "one"), put(t, a, "f", "two"), put(t, a, "other", "one")
	unknown := errors.New("unknown")
	if err := a.Prune(t.Context(), "f", func() ([]string, error) { return nil, unknown }); !errors.Is(err, unknown) {
		t.Errorf("Prune() = %v, want %v", err, unknown)
	}
	wantArchive(t, a, "f", one, "one")
	if err := a.Prune(t.Context(), "f", func() ([]string, error) { return []string{two, "unknown"}, nil }); err != nil {
		t.Error(err)
	}
	wantNoArchive(t, a, "f", one)
	wantArchive(t, a, "f", two, "two")
	wantArchive(t, a, "other", other, "one")
	for range 2 { // Also where nothing is left.
		if err := a.Prune(t.Context(), "f", func() ([]string, error) { return nil, nil }); err != nil {
			t.Error(err)
		}
	}
	wantNoArchive(t, a, "f", two)
}

// pruneKeepsCommitted stores and prunes concurrently: what the last commit recorded
// is always there.
func pruneKeepsCommitted(t *testing.T, a blob.Archives) {
	needed := make(chan string, 1)
	needed <- ""
	prune := func() ([]string, error) {
		digest := <-needed
		defer func() { needed <- digest }()
		return []string{digest}, nil
	}
	var group errgroup.Group
	for worker := range 4 {
		group.Go(func() error {
			for n := range 20 {
				content := fmt.Sprint(worker, "-", n)
				_, err := a.Put(t.Context(), "f", strings.NewReader(content), 100, func(archive blob.Archive) error {
					<-needed
					needed <- archive.Digest
					return nil
				})
				if err := errors.Join(err, a.Prune(t.Context(), "f", prune)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := read(t.Context(), a, "f", <-needed); err != nil {
		t.Errorf("the archive that was committed last: %v", err)
	}
}

func deleteArchives(t *testing.T, a blob.Archives) {
	one, other := put(t, a, "f", "one"), put(t, a, "other", "one")
	for range 2 {
		if err := a.Delete(t.Context(), "f"); err != nil {
			t.Error(err)
		}
	}
	wantNoArchive(t, a, "f", one)
	wantArchive(t, a, "other", other, "one")
}

func usageAddsUp(t *testing.T, a blob.Archives) {
	put(t, a, "f", "one")
	put(t, a, "f", "four")
	put(t, a, "g", "three")
	put(t, a, "other", "not counted")
	var got int64
	full := errors.New("full")
	err := a.Usage(t.Context(), []string{"f", "g", "none"}, func(bytes int64) error {
		got = bytes
		return full
	})
	if got != 12 || !errors.Is(err, full) {
		t.Errorf("Usage() = %d bytes, %v, want 12, %v", got, err, full)
	}
}

func invalidArchiveNames(t *testing.T, a blob.Archives) {
	ctx := t.Context()
	for name := range invalidNames() {
		_, putErr := a.Put(ctx, name, strings.NewReader("x"), 1, accept)
		_, openErr := a.Open(ctx, name, "digest")
		_, openErr2 := a.Open(ctx, "f", name)
		_, sizeErr := a.Size(ctx, "f", name)
		for call, err := range map[string]error{
			"Put": putErr, "Open": openErr, "Open of a digest": openErr2, "Size": sizeErr,
			"Usage":  a.Usage(ctx, []string{name}, func(int64) error { return nil }),
			"Prune":  a.Prune(ctx, name, func() ([]string, error) { return nil, nil }),
			"Delete": a.Delete(ctx, name),
		} {
			if !errors.Is(err, blob.ErrInvalidName) {
				t.Errorf("%s(%q) = %v, want %v", call, name, err, blob.ErrInvalidName)
			}
		}
	}
}
