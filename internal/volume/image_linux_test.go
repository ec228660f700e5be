package volume_test

import (
	"errors"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/volume"
)

// newImage returns an image file without a name, with a file system of 16 MiB.
func newImage(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.Open(t.TempDir(), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	image := os.NewFile(uintptr(fd), "image")
	t.Cleanup(func() { _ = image.Close() })
	if err := errors.Join(image.Truncate(16<<20), volume.FormatImage(t.Context(), image, 0)); err != nil {
		t.Fatal(err)
	}
	return image
}

func TestMountImage_AppliesOptions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options volume.MountOptions
		want    int64
	}{
		"defaults":       {volume.MountOptions{}, unix.ST_NOSUID | unix.ST_NODEV | unix.ST_RELATIME},
		"direct I/O":     {volume.MountOptions{DirectIO: true}, unix.ST_NOSUID | unix.ST_NODEV | unix.ST_RELATIME},
		"no access time": {volume.MountOptions{NoBarrier: true, NoAccessTime: true}, unix.ST_NOSUID | unix.ST_NODEV | unix.ST_NOATIME},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mount, err := volume.MountImage(newImage(t), test.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = unix.Close(mount) }()
			var s unix.Statfs_t
			if err := unix.Fstatfs(mount, &s); err != nil {
				t.Fatal(err)
			}
			const flags = unix.ST_NOSUID | unix.ST_NODEV | unix.ST_RELATIME | unix.ST_NOATIME
			if s.Type != unix.EXT4_SUPER_MAGIC || s.Flags&flags != test.want {
				t.Errorf("got type %#x with flags %#x, want ext4 with %#x", s.Type, s.Flags&flags, test.want)
			}
		})
	}
}

// TestMountImage_KeepsImagesApart mounts images at the same time: each gets a loop
// device of its own.
func TestMountImage_KeepsImagesApart(t *testing.T) {
	t.Parallel()
	var mounting sync.WaitGroup
	for range 8 {
		image := newImage(t)
		mounting.Go(func() {
			mount, err := volume.MountImage(image, volume.MountOptions{DirectIO: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = unix.Close(mount) }()
			if err := unix.Mkdirat(mount, "folder", 0o700); err != nil {
				t.Errorf("make folder in a new file system: %v", err)
			}
		})
	}
	mounting.Wait()
}

func TestMountImage_RefusesFileWithoutFileSystem(t *testing.T) {
	t.Parallel()
	image, err := os.CreateTemp(t.TempDir(), "image")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = image.Close() })
	if err := image.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	if mount, err := volume.MountImage(image, volume.MountOptions{}); !errors.Is(err, unix.EINVAL) {
		t.Errorf("MountImage() = %d, %v, want EINVAL", mount, err)
	}
}

func TestFormatImage_RefusesMoreEntriesThanFit(t *testing.T) {
	t.Parallel()
	image, err := os.CreateTemp(t.TempDir(), "image")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = image.Close() })
	if err := volume.FormatImage(t.Context(), image, 1<<40); err == nil {
		t.Error("FormatImage() of an empty file with 2^40 entries = nil, want an error")
	}
}
