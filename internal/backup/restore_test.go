package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/backup"
)

// FuzzRestore restores an invalid backup with one file of any name and kind. Nothing
// may be left on the disk.
func FuzzRestore(f *testing.F) {
	for _, name := range []string{"artifacts/f/a/link", "artifacts/f/a/link/x", "audit.log.1", "audit.log.1/x", "jeton.db", "archives/a/b", "../x", "/x", "archives/../../x", "acme/./x", "archives//x", "secret.key/x", "artifacts\\x", ""} {
		f.Add(name, byte(tar.TypeReg))
		f.Add(name, byte(tar.TypeSymlink))
	}
	f.Fuzz(func(t *testing.T, name string, kind byte) {
		var file bytes.Buffer
		compressed := gzip.NewWriter(&file)
		packed := tar.NewWriter(compressed)
		header := &tar.Header{Name: name, Typeflag: kind, Linkname: "/etc/passwd", Mode: 0o600}
		if kind == tar.TypeReg {
			header.Size = 1
		}
		if packed.WriteHeader(header) != nil {
			return
		}
		_, _ = io.WriteString(packed, "x")
		if errors.Join(packed.Close(), compressed.Close()) != nil {
			return
		}
		above := t.TempDir()
		if err := backup.Restore(t.Context(), &file, filepath.Join(above, "data")); err == nil {
			t.Errorf("Restore() = nil for %q of kind %q", name, kind)
		}
		if left, err := os.ReadDir(above); err != nil || len(left) > 0 {
			t.Errorf("%q of kind %q leaves %v, %v", name, kind, left, err)
		}
	})
}
