package tree_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/tree"
)

// makeNested makes nested folders, with a sparse file of a size in the innermost one.
// From 41 levels on, the path is longer than PATH_MAX.
func makeNested(t *testing.T, dir string, levels int, size int64) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("d", 100)
	for range levels {
		if err := root.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		below, err := root.OpenRoot(name)
		if err != nil {
			t.Fatal(err)
		}
		_ = root.Close()
		root = below
	}
	defer root.Close()
	f, err := root.Create("file")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func TestMeasure_CountsAndBoundsEntries(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		make    func(t *testing.T, dir string)
		limits  tree.Limits
		tooLong bool
		entries int64
		bytes   int64
	}{
		"counts files": {
			make: func(t *testing.T, dir string) { write(t, filepath.Join(dir, "a", "b"), "x", 0o600) }, entries: 2, bytes: 1,
		},
		"counts files with paths longer than PATH_MAX": {
			make: func(t *testing.T, dir string) { makeNested(t, dir, 60, 1<<20) }, limits: tree.Limits{Bytes: 1 << 20}, tooLong: true,
		},
		"counts sparse files with their length": {
			make: func(t *testing.T, dir string) { makeNested(t, dir, 0, 1<<40) }, limits: tree.Limits{Bytes: 1 << 30}, tooLong: true,
		},
		"counts empty folders": {
			make: func(t *testing.T, dir string) {
				for n := range 101 {
					if err := os.Mkdir(filepath.Join(dir, fmt.Sprint(n)), 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}, limits: tree.Limits{Entries: 100}, tooLong: true,
		},
		"refuses folders nested too deep": {
			make: func(t *testing.T, dir string) { makeNested(t, dir, 200, 1) }, tooLong: true,
		},
		"does not follow links": {
			make: func(t *testing.T, dir string) {
				if err := os.Symlink("/usr", filepath.Join(dir, "link")); err != nil {
					t.Fatal(err)
				}
			}, entries: 1,
		},
		"returns zero for a missing folder": {make: func(t *testing.T, dir string) { _ = os.Remove(dir) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			test.make(t, dir)
			u, err := tree.Measure(t.Context(), dir, test.limits)
			if errors.Is(err, tree.ErrLimit) != test.tooLong || err != nil && !test.tooLong {
				t.Fatalf("Measure() = %+v, %v, want too large: %v", u, err, test.tooLong)
			}
			if err == nil && (u.Entries != test.entries || u.Bytes < test.bytes) {
				t.Errorf("Measure() = %+v, want %d entries and at least %d bytes", u, test.entries, test.bytes)
			}
			// Remove has no limits.
			if err := tree.Remove(dir); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got %v after Remove, want %v", err, fs.ErrNotExist)
			}
		})
	}
}

func TestRemove_RemovesFoldersWithoutPermissions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "x")
	write(t, filepath.Join(dir, "1", "2", "file"), "x", 0)
	for _, name := range []string{"1/2", "1"} {
		if err := os.Chmod(filepath.Join(dir, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.Remove(dir); err != nil {
		t.Error(err)
	}
}

func TestCopy_RemovesUnsafePermissions(t *testing.T) {
	t.Parallel()
	for _, link := range []bool{false, true} {
		t.Run(fmt.Sprint("link ", link), func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
			write(t, filepath.Join(from, "a", "file"), "content", 0o644)
			write(t, filepath.Join(from, "run"), "#!", 0o755)
			write(t, filepath.Join(from, "setuid"), "#!", 0o755|fs.ModeSetuid|fs.ModeSetgid)
			write(t, filepath.Join(from, "open"), "x", 0o666)
			if err := os.Symlink("a/file", filepath.Join(from, "link")); err != nil {
				t.Fatal(err)
			}
			if err := tree.Copy(t.Context(), from, to, tree.Options{Link: link}); err != nil {
				t.Fatal(err)
			}
			modes := map[string]fs.FileMode{"a/file": 0o644, "run": 0o755, "setuid": 0o755, "open": 0o644}
			for name, want := range modes {
				info, err := os.Lstat(filepath.Join(to, name))
				if err != nil || info.Mode() != want {
					t.Errorf("got mode %v, %v for %s, want %v", info.Mode(), err, name, want)
				}
			}
			if text, err := os.ReadFile(filepath.Join(to, "link")); string(text) != "content" {
				t.Errorf("got %q, %v through the link, want \"content\"", text, err)
			}
			original, _ := os.Stat(filepath.Join(from, "a", "file"))
			copied, _ := os.Stat(filepath.Join(to, "a", "file"))
			if os.SameFile(original, copied) != link {
				t.Errorf("got a hard link: %v, want %v", !link, link)
			}
		})
	}
}

func TestCopy_KeepsHoles(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	f, err := os.Create(filepath.Join(from, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte("middle"), 512<<20)
	if err := errors.Join(err, f.Truncate(1<<30), f.Close()); err != nil {
		t.Fatal(err)
	}
	if err := tree.Copy(t.Context(), from, to, tree.Options{}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(to, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	stat, _ := info.Sys().(*syscall.Stat_t)
	if info.Size() != 1<<30 || stat.Blocks*512 > 16<<20 {
		t.Errorf("got a copy of %d bytes in %d bytes of blocks, want %d in at most %d", info.Size(), stat.Blocks*512, 1<<30, 16<<20)
	}
	copied, err := os.Open(filepath.Join(to, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	text := make([]byte, 6)
	if _, err := copied.ReadAt(text, 512<<20); err != nil || string(text) != "middle" {
		t.Errorf("got %q, %v in the middle of the copy, want \"middle\"", text, err)
	}
}

func TestCopy_RefusesLargeTreesAndSpecialFiles(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("no longer wanted")
	cancel(cause)
	tests := map[string]struct {
		ctx    context.Context
		make   func(t *testing.T, dir string)
		limits tree.Limits
		want   error
	}{
		"too many bytes": {make: func(t *testing.T, dir string) { makeNested(t, dir, 0, 2<<20) }, limits: tree.Limits{Bytes: 1 << 20}, want: tree.ErrLimit},
		"too deep":       {make: func(t *testing.T, dir string) { makeNested(t, dir, 150, 1) }, want: tree.ErrLimit},
		"a pipe": {make: func(t *testing.T, dir string) {
			if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		"cancelled": {ctx: cancelled, make: func(t *testing.T, dir string) { makeNested(t, dir, 0, 1) }, want: cause},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
			test.make(t, from)
			ctx := test.ctx
			if ctx == nil {
				ctx = t.Context()
			}
			err := tree.Copy(ctx, from, to, tree.Options{Limits: test.limits})
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("Copy() = %v, want %v", err, test.want)
			}
			if err := errors.Join(tree.Remove(from), tree.Remove(to)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClean_RemovesUnsafePermissionsAndSpecialFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a", "setuid"), "#!", 0o755|fs.ModeSetuid)
	write(t, filepath.Join(dir, "a", "open"), "x", 0o666)
	write(t, filepath.Join(dir, "plain"), "x", 0o600)
	outside := filepath.Join(t.TempDir(), "outside")
	write(t, outside, "x", 0o755|fs.ModeSetuid)
	if err := errors.Join(unix.Mkfifo(filepath.Join(dir, "a", "pipe"), 0o600), os.Symlink(outside, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := unix.Mknod(filepath.Join(dir, "device"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.Clean(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"a/setuid": 0o755, "a/open": 0o644, "plain": 0o600, outside: 0o755 | fs.ModeSetuid}
	for name, mode := range want {
		path := name
		if !filepath.IsAbs(name) {
			path = filepath.Join(dir, name)
		}
		if info, err := os.Lstat(path); err != nil || info.Mode() != mode {
			t.Errorf("got mode %v, %v for %s, want %v", info.Mode(), err, name, mode)
		}
	}
	for _, name := range []string{"a/pipe", "device"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v for %s, want %v", err, name, fs.ErrNotExist)
		}
	}
}
