package source_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/source"
	"github.com/jeton-dev/jeton/test/await"
)

func entries(t *testing.T, a source.Archive) map[string]string {
	t.Helper()
	reader, err := zip.NewReader(bytes.NewReader(a.Content), int64(len(a.Content)))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range reader.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		kind := ""
		if file.Mode()&fs.ModeSymlink != 0 {
			kind = "-> "
		} else if file.Mode()&0o111 != 0 {
			kind = "* "
		}
		found[file.Name] = kind + string(text)
	}
	return found
}

func TestPack_OmitsIgnoredFiles(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"handler.js": "x", "lib/a.js": "a", "lib/a.log": "l", "b.log": "l", "keep.log": "k", "node_modules/m/index.js": "m",
		".git/HEAD": "h", "functions.yaml": "f", ".env": "SECRET=1", "lib/__pycache__/x.pyc": "p",
		".jetonignore": "# logs\n**/*.log\n!keep.log\n",
	})
	if err := os.Chmod(filepath.Join(dir, "handler.js"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("lib/a.js", filepath.Join(dir, "link.js")); err != nil {
		t.Fatal(err)
	}
	first, err := source.Pack(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"handler.js": "* x", "lib/a.js": "a", "keep.log": "k", "node_modules/m/index.js": "m", "link.js": "-> lib/a.js"}
	got := entries(t, first)
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s: got %q, want %q", name, got[name], content)
		}
	}
	if len(got) != len(want) || first.Files != len(want) {
		t.Errorf("got %d files %v, want %v", first.Files, got, want)
	}
	// The same content has the same archive, whatever the times of the files are.
	if err := os.Chtimes(filepath.Join(dir, "lib/a.js"), time.Now(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	second, err := source.Pack(dir)
	if err != nil || !bytes.Equal(first.Content, second.Content) {
		t.Errorf("second archive: got %v, want the same bytes", err)
	}
	if _, err := source.Pack(folder(t, map[string]string{".git/HEAD": "h"})); !errors.Is(err, source.ErrNoFiles) {
		t.Errorf("a folder without code: got %v, want ErrNoFiles", err)
	}
}

func TestWatch_ReportsChangesOfCode(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"handler.js": "1", ".jetonignore": "*.log\n"})
	ctx, cancel := context.WithCancel(t.Context())
	ready, changes, ended := make(chan struct{}), make(chan time.Time, 100), make(chan error, 1)
	go func() {
		ended <- source.Watch(ctx, dir, func() { close(ready) }, func(first time.Time) { changes <- first })
	}()
	await.Receive(t, "the watch", ready)
	steps := []struct{ name, content string }{
		{"handler.js", "2"}, {"new/deep/file.js", "1"}, {"new/deep/file.js", "2"}, {".jetonignore", "*.txt\n"}, {"now.log", "x"},
	}
	for _, step := range steps {
		before := time.Now()
		write(t, dir, step.name, step.content)
		// An earlier step can have a second report.
		for await.Receive(t, "the change of "+step.name, changes).Before(before) {
		}
	}
	cancel()
	if err := await.Receive(t, "the end of the watch", ended); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}
