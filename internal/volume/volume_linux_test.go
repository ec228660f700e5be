package volume_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/volume"
)

// mountVolume mounts a new volume, and unmounts it twice when the test ends.
func mountVolume(t *testing.T, bytes, entries int64) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("the test mounts file systems: run it as root")
	}
	dir := t.TempDir()
	at := filepath.Join(dir, "disk")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := volume.Mount(t.Context(), filepath.Join(dir, "image"), at, bytes, entries); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(volume.Unmount(at), volume.Unmount(at)); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(at); err != nil || len(entries) > 0 {
			t.Errorf("after Unmount the folder contains %v, %v, want nothing", entries, err)
		}
	})
	return at
}

func TestMount_BoundsBytes(t *testing.T) {
	t.Parallel()
	at := mountVolume(t, 32<<20, 1000)
	f, err := os.Create(filepath.Join(at, "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	written, piece := 0, make([]byte, 1<<20)
	for err == nil && written < 128<<20 {
		var n int
		n, err = f.Write(piece)
		written += n
	}
	if !errors.Is(err, unix.ENOSPC) || written < 32<<20 || written > 64<<20 {
		t.Errorf("got %v after %d bytes, want ENOSPC after 32 to 64 MiB", err, written)
	}
	if bytes, _, err := volume.Used(at); err != nil || bytes < 32<<20 {
		t.Errorf("Used() = %d bytes, %v, want at least 32 MiB", bytes, err)
	}
}

func TestMount_BoundsEntries(t *testing.T) {
	t.Parallel()
	at := mountVolume(t, 32<<20, 1000)
	made := 0
	var err error
	for ; err == nil && made < 5000; made++ {
		err = os.Mkdir(filepath.Join(at, fmt.Sprint(made)), 0o700)
	}
	if !errors.Is(err, unix.ENOSPC) || made < 900 {
		t.Errorf("got %v after %d folders, want ENOSPC after about 1000", err, made)
	}
}

func TestMount_RefusesToOpenDevices(t *testing.T) {
	t.Parallel()
	at := mountVolume(t, 32<<20, 1000)
	device := filepath.Join(at, "null")
	if err := unix.Mknod(device, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Open(device); !errors.Is(err, unix.EACCES) {
		t.Errorf("got %v when opening a device, want EACCES", err)
	}
}
