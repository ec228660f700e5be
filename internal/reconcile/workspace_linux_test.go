package reconcile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/blob/files"
	"github.com/jeton-dev/jeton/internal/reconcile"
	"github.com/jeton-dev/jeton/internal/volume"
)

// A server that is killed during a build leaves a mounted workspace with files in it.
func TestReleaseWorkspace_UnmountsAfterAKill(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts a file system: run it as root")
	}
	dir := t.TempDir()
	artifacts, err := files.OpenArtifacts(dir)
	if err != nil {
		t.Fatal(err)
	}
	workspace, err := artifacts.Workspace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	disk := filepath.Join(workspace, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := volume.Mount(t.Context(), filepath.Join(workspace, "image"), disk, 32<<20, 1000); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(disk, "half-built"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := artifacts.SweepWorkspaces(reconcile.ReleaseWorkspace); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v, want an empty folder", left, err)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil || strings.Contains(string(mounts), dir) {
		t.Errorf("got a mount below %s, %v, want none", dir, err)
	}
}
