package process_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

// onDisk runs scripts, each in an instance with a disk, and returns what they printed
// and why the last one ended. It checks that the code stays unchanged.
func onDisk(t *testing.T, disk int64, memory int, scripts ...string) (outputs []string, reason string) {
	t.Helper()
	e, err := process.New(withPorts(t, process.Config{
		Dir: shortDir(t), Isolation: sandbox.Full, Disk: disk, DiskDir: t.TempDir(),
	}), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	code := filepath.Join(dir, "function")
	if err := os.MkdirAll(filepath.Join(code, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(code, "data"), []byte("shipped\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		o := collect(e)
		reason = runToItsEnd(t, e, engine.Revision{
			ID: "r", FunctionID: "f", Artifact: dir, Launch: shell(t, script), MemoryLimit: memory, CPULimit: 1000,
		})
		var printed []string
		for _, line := range o.lines {
			printed = append(printed, line.Text)
		}
		outputs = append(outputs, strings.Join(printed, "\n"))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(code, "data")); err != nil || string(text) != "shipped\n" {
		t.Errorf("the file of the code is %q (%v), want it unchanged", text, err)
	}
	if entries, err := os.ReadDir(code); err != nil || len(entries) != 2 {
		t.Errorf("the code has %v (%v), want nothing added", entries, err)
	}
	return outputs, reason
}

// TestDisk_IsWritableAndPrivate writes to the folder and files of the code, to the home
// folder and to /tmp, and checks that the next instance sees no change.
func TestDisk_IsWritableAndPrivate(t *testing.T) {
	t.Parallel()
	write := "set -e; cd /home/app/function; echo a > new; echo b >> data; echo c > sub/new; rm -r sub; mkdir sub; mv data moved; " +
		"echo d > $HOME/.cache; echo e > /tmp/e; echo f > /dev/shm/f; cat new moved $HOME/.cache /tmp/e /dev/shm/f"
	look := "cd /home/app/function; ls -A . /home/app /tmp /dev/shm | tr '\\n' ' '; cat data; ls /.disk 2>/dev/null || echo closed"
	outputs, _ := onDisk(t, 64<<20, 256, write, look)
	if want := "a\nshipped\nb\nd\ne\nf"; outputs[0] != want {
		t.Errorf("the first instance printed %q, want %q", outputs[0], want)
	}
	if want := ".: data sub  /dev/shm:  /home/app: function  /tmp: shipped\nclosed"; outputs[1] != want {
		t.Errorf("the second instance printed %q, want %q", outputs[1], want)
	}
}

// TestDisk_RunsAProgramThatIsTheCode starts an artifact that is a program.
func TestDisk_RunsAProgramThatIsTheCode(t *testing.T) {
	t.Parallel()
	e := newEngine(t, process.Config{Dir: shortDir(t), Isolation: sandbox.Full, Disk: 32 << 20, DiskDir: t.TempDir()})
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "function"), []byte("#!/bin/sh\necho x > /home/app/beside && exit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := engine.Revision{
		ID: "r", FunctionID: "f", Artifact: dir, Launch: launch(t, sandbox.HomeDir+"/function"), MemoryLimit: 256, CPULimit: 1000,
	}
	if reason := runToItsEnd(t, e, r); reason != "exit status 7" {
		t.Errorf("the program ended with %q, want exit status 7", reason)
	}
}

// TestDisk_IsBounded fills the disk with bytes and with folders.
func TestDisk_IsBounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ script, want string }{
		"bytes in /tmp":         {"head -c 100000000 /dev/zero > /tmp/x; wc -c < /tmp/x", "No space left on device"},
		"bytes beside the code": {"head -c 100000000 /dev/zero > /home/app/function/x", "No space left on device"},
		"folders":               {"cd /tmp; seq 100000 | xargs mkdir 2>&1 | tail -n 1", "No space left on device"},
		"a hole":                {"truncate -s 1G /tmp/x && dd if=/dev/zero of=/tmp/x bs=1M count=100 conv=notrunc", "No space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			outputs, _ := onDisk(t, 32<<20, 256, test.script)
			if !strings.Contains(outputs[0], test.want) {
				t.Errorf("printed %q, want %q", outputs[0], test.want)
			}
		})
	}
}

// TestDisk_IsNotMemory writes more than the instance's memory.
func TestDisk_IsNotMemory(t *testing.T) {
	t.Parallel()
	outputs, reason := onDisk(t, 512<<20, 64, "head -c 300000000 /dev/zero > /tmp/x && wc -c < /tmp/x")
	if outputs[0] != "300000000" || reason != "exit status 0" {
		t.Errorf("printed %q and ended with %s", outputs[0], reason)
	}
}

// TestDisk_EndsWithAKilledServer checks that a killed server leaves no block device.
func TestDisk_EndsWithAKilledServer(t *testing.T) {
	t.Parallel()
	dir, disks := shortDir(t), t.TempDir()
	server, _ := startServer(t, dir, enginetest.Serve, diskVariable+"="+disks)
	if n := attached(t, disks); n == 0 {
		t.Error("the server has no attached disk, want those of its sandboxes")
	}
	kill(t, server)
	await.True(t, "all disks have ended", func() bool { return attached(t, disks) == 0 })
}

// attached counts the block devices whose backing file is in a folder.
func attached(t *testing.T, dir string) int {
	t.Helper()
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		// A device may have ended since.
		if text, _ := os.ReadFile(file); strings.HasPrefix(string(text), fmt.Sprint(dir, "/")) {
			n++
		}
	}
	return n
}

// TestDiskReserve_EndsInstancesOfTheLargestProject fills the file system of the disks from
// two projects. The largest disk belongs to the project that uses less in all.
func TestDiskReserve_EndsInstancesOfTheLargestProject(t *testing.T) {
	t.Parallel()
	needs.Root(t, "mounts a small file system")
	disks := t.TempDir()
	if err := unix.Mount("disks", disks, "tmpfs", 0, "size=260m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		await.True(t, "the file system is unused", func() bool { return unix.Unmount(disks, 0) == nil })
	})
	e := newEngine(t, process.Config{
		Dir: shortDir(t), Isolation: sandbox.Full, Disk: 128 << 20, DiskDir: disks, DiskReserve: 90 << 20, ReadyTimeout: time.Hour,
	})
	o, events := collect(e), enginetest.Watch(t, e)
	start := func(id, project string, mebibytes int) string {
		enginetest.Apply(t, e, engine.Revision{
			ID: id, FunctionID: id, ProjectID: project, Artifact: t.TempDir(), MemoryLimit: 256, CPULimit: 1000,
			Launch: shell(t, fmt.Sprintf("dd if=/dev/zero of=/tmp/x bs=1M count=%d conv=fsync 2>/dev/null; echo %s has written; exec sleep 3600", mebibytes, id)),
		}, 1)
		return enginetest.Next(t, events, engine.Starting).InstanceID
	}
	written := func(id string) {
		await.True(t, id+" has written", func() bool { return slices.Contains(o.texts(), "stdout "+id+" has written") })
	}
	start("modest", "one", 70)
	written("modest")
	start("greedy-small", "two", 50)
	written("greedy-small")
	largest := start("greedy-large", "two", 65)
	gone := enginetest.Next(t, events, engine.Gone)
	if gone.InstanceID != largest || !strings.HasPrefix(gone.Reason, "the server's disk is nearly full, and this instance used ") {
		t.Errorf("the first instance that ended is %+v, want %s of the project that uses most", gone, largest)
	}
}
