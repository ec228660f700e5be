package parcel_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/agent/parcel"
)

func TestUnpack_RestoresWhatPackWrote(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(from, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "a", "program"), []byte("text"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a/program", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := parcel.Pack(t.Context(), from, &archive); err != nil {
		t.Fatal(err)
	}
	if err := parcel.Unpack(t.Context(), &archive, to, parcel.DefaultLimits); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(to, "link"))
	text, readErr := os.ReadFile(filepath.Join(to, "link"))
	if err != nil || readErr != nil || string(text) != "text" || info.Mode().Perm() != 0o755 {
		t.Errorf("got %q with %v, %v, %v", text, info, err, readErr)
	}
}

func archiveOf(headers ...tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		h.Mode = 0o644
		if h.Typeflag == tar.TypeReg {
			h.Size = 4
		}
		_ = w.WriteHeader(&h)
		if h.Typeflag == tar.TypeReg {
			_, _ = w.Write([]byte("evil"))
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// hostile are archives that must create nothing outside of the folder.
var hostile = map[string][]byte{
	"parent":        archiveOf(tar.Header{Name: "../evil", Typeflag: tar.TypeReg}),
	"absolute":      archiveOf(tar.Header{Name: "/tmp/evil", Typeflag: tar.TypeReg}),
	"through link":  archiveOf(tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, tar.Header{Name: "l/evil", Typeflag: tar.TypeReg}),
	"twice":         archiveOf(tar.Header{Name: "x", Typeflag: tar.TypeReg}, tar.Header{Name: "x", Typeflag: tar.TypeReg}),
	"over a link":   archiveOf(tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../evil"}, tar.Header{Name: "l", Typeflag: tar.TypeReg}),
	"hard link":     archiveOf(tar.Header{Name: "h", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}),
	"device":        archiveOf(tar.Header{Name: "d", Typeflag: tar.TypeChar}),
	"unclean":       archiveOf(tar.Header{Name: "a/../b", Typeflag: tar.TypeReg}),
	"not a archive": []byte("something else"),
}

func TestUnpack_RefusesHostileArchives(t *testing.T) {
	t.Parallel()
	for name, archive := range hostile {
		parent := t.TempDir()
		dir := filepath.Join(parent, "dir")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := parcel.Unpack(t.Context(), bytes.NewReader(archive), dir, parcel.DefaultLimits); err == nil {
			t.Errorf("%s: Unpack() = nil, want an error", name)
		}
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("%s: the parent folder has %v, %v", name, entries, err)
		}
	}
}

func TestUnpack_EnforcesLimits(t *testing.T) {
	t.Parallel()
	archive := archiveOf(tar.Header{Name: "a", Typeflag: tar.TypeReg}, tar.Header{Name: "b", Typeflag: tar.TypeReg})
	for _, limits := range []parcel.Limits{{Bytes: 7, Entries: 2}, {Bytes: 8, Entries: 1}} {
		if err := parcel.Unpack(t.Context(), bytes.NewReader(archive), t.TempDir(), limits); err == nil {
			t.Errorf("Unpack() with %+v = nil, want an error", limits)
		}
	}
	if err := parcel.Unpack(t.Context(), bytes.NewReader(archive), t.TempDir(), parcel.Limits{Bytes: 8, Entries: 2}); err != nil {
		t.Errorf("Unpack() at the limits = %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	for _, archive := range hostile {
		f.Add(archive)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "dir")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = parcel.Unpack(t.Context(), bytes.NewReader(archive), dir, parcel.Limits{Bytes: 1 << 20, Entries: 100})
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Errorf("the parent folder has %v, %v", entries, err)
		}
	})
}
