package tree_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/tree"
)

func TestSync_AcceptsFoldersOfAllSizes(t *testing.T) {
	t.Parallel()
	for _, files := range []int{0, 3, 50} {
		t.Run(fmt.Sprint(files, " files"), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for i := range files {
				write(t, filepath.Join(dir, "folder", fmt.Sprint(i)), "content", 0o400)
			}
			if err := os.Symlink("missing", filepath.Join(dir, "link")); err != nil {
				t.Fatal(err)
			}
			if err := tree.Sync(t.Context(), dir); err != nil {
				t.Errorf("Sync() = %v, want success", err)
			}
		})
	}
}

func TestSync_ReturnsErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := tree.Sync(t.Context(), filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Sync of a missing folder = %v, want %v", err, os.ErrNotExist)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tree.Sync(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("Sync after the end of the context = %v, want %v", err, context.Canceled)
	}
}
