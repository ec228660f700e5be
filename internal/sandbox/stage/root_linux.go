package stage

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// makePlace makes what a mount is put on, or the symbolic link itself.
func (m Mount) makePlace(root string) error {
	if m.Cover {
		return nil
	}
	place := root + m.Target
	if err := os.MkdirAll(path.Dir(place), 0o755); err != nil {
		return err
	}
	switch {
	case m.Link != "":
		return os.Symlink(m.Link, place)
	case m.Folder:
		return os.MkdirAll(place, 0o755)
	}
	return os.WriteFile(place, nil, 0o644)
}

// The files of /etc that programs look for, with nothing of this machine in
// them.
var etcFiles = map[string]string{
	"/etc/passwd":        "root:x:0:0::/home/app:/sbin/nologin\napp:x:1000:1000::/home/app:/sbin/nologin\n",
	"/etc/group":         "root:x:0:\napp:x:1000:\n",
	"/etc/hosts":         "127.0.0.1 localhost\n::1 localhost\n",
	"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

// rootDir is where the root folder is put together before it is one: a folder
// that every Linux has.
const rootDir = "/tmp"

// buildRoot makes the root folder of a sandbox, and moves into it. Nothing of
// the machine's own is left to be seen but what the blueprint names.
func buildRoot(b Blueprint, opened []int) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("part from the machine's mounts: %w", err)
	}
	opened, err := b.openMounts(opened)
	if err != nil {
		return err
	}
	if err := mountTemporary(rootDir, 0o755, 4<<20, unix.MS_NOSUID|unix.MS_NODEV); err != nil {
		return err
	}
	if err := furnishRoot(b, opened, rootDir); err != nil {
		return err
	}
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV)
	if err := unix.Mount("", rootDir, "", flags, ""); err != nil {
		return fmt.Errorf("make the root folder read-only: %w", err)
	}
	return pivot(rootDir)
}

// openMounts opens what the server has not opened.
func (b Blueprint) openMounts(opened []int) ([]int, error) {
	if len(opened) > 0 {
		return opened, nil
	}
	for _, m := range b.Mounts {
		if m.Link != "" {
			continue
		}
		fd, err := m.Open(nil)
		if err != nil {
			return nil, err
		}
		opened = append(opened, fd)
	}
	return opened, nil
}

func furnishRoot(b Blueprint, opened []int, root string) error {
	for _, dir := range []string{b.Home, "/tmp", "/proc", "/dev", "/etc"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := furnishMemory(b, root); err != nil {
		return err
	}
	for _, m := range b.Mounts {
		if err := m.makePlace(root); err != nil {
			return fmt.Errorf("make a place for %s: %w", m.Target, err)
		}
		if m.Link != "" {
			continue
		}
		if len(opened) == 0 {
			return errors.New("fewer mounts than places came from the server")
		}
		if err := m.Attach(opened[0], root); err != nil {
			return err
		}
		opened = opened[1:]
		if m.Target != DiskMount {
			continue
		}
		// It comes first: others may be below /tmp.
		if err := unix.Mount(root+DiskMount+"/"+DiskTemporary, root+"/tmp", "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount /tmp: %w", err)
		}
	}
	for name, content := range etcFiles {
		if err := os.WriteFile(root+name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if b.Resolver != "" {
		if err := os.WriteFile(root+"/etc/resolv.conf", []byte("nameserver "+b.Resolver+"\n"), 0o644); err != nil {
			return err
		}
	}
	if b.omits(Processes) {
		return errors.Join(linkDevices(b, root), unix.Mount("/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, ""))
	}
	return errors.Join(linkDevices(b, root), mountProc(root))
}

// A sandbox with a disk has these folders, into which its program cannot go: the
// disk itself, and the code below what the program changes of it. On the disk are
// /tmp, and the upper and the work folder of the overlay over the code.
const (
	diskDir       = "/.disk"
	DiskMount     = diskDir + "/fs"
	DiskCode      = diskDir + "/code"
	DiskTemporary = "tmp"
	DiskUpper     = "upper"
	DiskWork      = "work"
)

// SharedMemory is the folder of shared memory.
const SharedMemory = "/dev/shm"

// furnishMemory makes the folder that is in memory, and the places of the disk.
func furnishMemory(b Blueprint, root string) error {
	inMemory := "/tmp"
	if b.Disk {
		inMemory = SharedMemory
		err := os.Mkdir(root+diskDir, 0o700)
		for _, dir := range []string{DiskMount, DiskCode, SharedMemory} {
			err = errors.Join(err, os.Mkdir(root+dir, 0o755))
		}
		if err != nil {
			return err
		}
	}
	return mountTemporary(root+inMemory, 0o1777, b.Temporary, unix.MS_NOSUID|unix.MS_NODEV)
}

func linkDevices(b Blueprint, root string) error {
	links := map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	}
	if !b.Disk {
		links["shm"] = "/tmp" // Shared memory counts as what it is: files in memory.
	}
	var err error
	for name, target := range links {
		err = errors.Join(err, os.Symlink(target, path.Join(root, "dev", name)))
	}
	return err
}

func mountTemporary(dir string, mode uint32, size int64, flags uintptr) error {
	options := fmt.Sprintf("mode=%o,size=%d", mode, size)
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		return fmt.Errorf("mount a folder in memory: %w", err)
	}
	return nil
}

// mountProc shows the sandbox its own processes. What tells of the whole machine
// beyond what programs need is empty.
func mountProc(root string) error {
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY)
	if err := unix.Mount("proc", root+"/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return hideProc(root)
}

// shownProc is what programs read in /proc beside their own processes: how many
// processors there are and what they can do, how much memory, how busy they are, and
// settings of the kernel. What is a symbolic link leads to a process.
var shownProc = []string{
	"cpuinfo", "filesystems", "loadavg", "meminfo", "mounts", "net", "self", "stat", "sys", "thread-self", "uptime", "version",
}

// hiddenOfProcess are files of the first process, which is the program's own: where
// the folders that it sees are on the machine.
var hiddenOfProcess = []string{"1/mountinfo", "1/mounts", "1/mountstats"}

// hideProc puts empty files and folders over all the rest, whatever this kernel has.
func hideProc(root string) error {
	entries, err := os.ReadDir(root + "/proc")
	if err != nil {
		return fmt.Errorf("read /proc: %w", err)
	}
	empty := root + emptyDir
	if err := os.Mkdir(empty, 0o555); err != nil {
		return err
	}
	hidden := hiddenOfProcess
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case name[0] >= '0' && name[0] <= '9', slices.Contains(shownProc, name):
		case entry.IsDir():
			if err := unix.Mount(empty, root+"/proc/"+name, "", unix.MS_BIND, ""); err != nil {
				return fmt.Errorf("hide /proc/%s: %w", name, err)
			}
		default:
			hidden = append(hidden, name)
		}
	}
	for _, name := range hidden {
		err := unix.Mount(root+"/dev/null", root+"/proc/"+name, "", unix.MS_BIND, "")
		// The probe for processes has no process of that number to see.
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("hide /proc/%s: %w", name, err)
		}
	}
	return nil
}

// emptyDir is a folder with nothing in it.
const emptyDir = "/.empty"

// pivot makes a folder the root folder, and lets go of the one before.
func pivot(root string) error {
	err := unix.Chdir(root)
	if err == nil {
		err = unix.PivotRoot(".", ".")
	}
	if err == nil {
		err = unix.Unmount(".", unix.MNT_DETACH)
	}
	if err == nil {
		err = unix.Chdir("/")
	}
	if err != nil {
		return fmt.Errorf("change the root folder: %w", err)
	}
	return nil
}
