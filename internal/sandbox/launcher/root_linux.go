package launcher

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// makeTarget makes the file or folder that m is mounted on, or the symbolic link.
func (m Mount) makeTarget(root string) error {
	if m.Cover {
		return nil
	}
	target := root + m.Target
	if err := os.MkdirAll(path.Dir(target), 0o755); err != nil {
		return err
	}
	switch {
	case m.Link != "":
		return os.Symlink(m.Link, target)
	case m.Folder:
		return os.MkdirAll(target, 0o755)
	}
	return os.WriteFile(target, nil, 0o644)
}

// etcFiles are files of /etc that programs read. They contain nothing about this
// machine.
var etcFiles = map[string]string{
	"/etc/passwd":        "root:x:0:0::/home/app:/sbin/nologin\napp:x:1000:1000::/home/app:/sbin/nologin\n",
	"/etc/group":         "root:x:0:\napp:x:1000:\n",
	"/etc/hosts":         "127.0.0.1 localhost\n::1 localhost\n",
	"/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}

// rootDir is where the root folder is built before the pivot: every Linux has it.
const rootDir = "/tmp"

// buildRoot builds the root folder and makes it this process's root. Of the machine's
// files only the Config's mounts are visible there.
func buildRoot(c Config, opened []int) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return fmt.Errorf("make mounts slaves of the machine's: %w", err)
	}
	opened, err := c.openMounts(opened)
	if err != nil {
		return err
	}
	if err := mountTemporary(rootDir, 0o755, 4<<20, unix.MS_NOSUID|unix.MS_NODEV); err != nil {
		return err
	}
	if err := populateRoot(c, opened, rootDir); err != nil {
		return err
	}
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV)
	if err := unix.Mount("", rootDir, "", flags, ""); err != nil {
		return fmt.Errorf("remount root folder read-only: %w", err)
	}
	return pivot(rootDir)
}

// openMounts opens the Config's mounts unless the server has opened them.
func (c Config) openMounts(opened []int) ([]int, error) {
	if len(opened) > 0 {
		return opened, nil
	}
	for _, m := range c.Mounts {
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

func populateRoot(c Config, opened []int, root string) error {
	for _, dir := range []string{c.Home, "/tmp", "/proc", "/dev", "/etc"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := mountMemory(c, root); err != nil {
		return err
	}
	for _, m := range c.Mounts {
		if err := m.makeTarget(root); err != nil {
			return fmt.Errorf("make mount point %s: %w", m.Target, err)
		}
		if m.Link != "" {
			continue
		}
		if len(opened) == 0 {
			return errors.New("mount root folder: the server sent fewer mounts than the config lists")
		}
		if err := m.Attach(opened[0], root); err != nil {
			return err
		}
		opened = opened[1:]
		if m.Target != DiskMount {
			continue
		}
		// The disk is the first mount: others may be below /tmp.
		if err := unix.Mount(root+DiskMount+"/"+DiskTemporary, root+"/tmp", "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount /tmp: %w", err)
		}
	}
	for name, content := range etcFiles {
		if name == "/etc/hosts" {
			content += c.Hosts
		}
		if err := os.WriteFile(root+name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if c.Resolver != "" {
		if err := os.WriteFile(root+"/etc/resolv.conf", []byte("nameserver "+c.Resolver+"\n"), 0o644); err != nil {
			return err
		}
	}
	if c.omits(Processes) {
		return errors.Join(linkDevices(c, root), unix.Mount("/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, ""))
	}
	return errors.Join(linkDevices(c, root), mountProc(root))
}

// The folders of a sandbox with a disk. The program cannot enter diskDir. DiskMount is
// where the disk is mounted, and DiskCode where the code is, the lower folder of the
// overlay. The others are on the disk: /tmp, and the upper and work folders.
const (
	diskDir       = "/.disk"
	DiskMount     = diskDir + "/fs"
	DiskCode      = diskDir + "/code"
	DiskTemporary = "tmp"
	DiskUpper     = "upper"
	DiskWork      = "work"
)

// SharedMemory is the folder of POSIX shared memory.
const SharedMemory = "/dev/shm"

// mountMemory mounts the folder in memory, and makes the folders of the disk.
func mountMemory(c Config, root string) error {
	inMemory := "/tmp"
	if c.Disk {
		inMemory = SharedMemory
		err := os.Mkdir(root+diskDir, 0o700)
		for _, dir := range []string{DiskMount, DiskCode, SharedMemory} {
			err = errors.Join(err, os.Mkdir(root+dir, 0o755))
		}
		if err != nil {
			return err
		}
	}
	return mountTemporary(root+inMemory, 0o1777, c.Temporary, unix.MS_NOSUID|unix.MS_NODEV)
}

func linkDevices(c Config, root string) error {
	links := map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	}
	if !c.Disk {
		links["shm"] = "/tmp" // Shared memory counts against the size of /tmp.
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
		return fmt.Errorf("mount tmpfs on %s: %w", dir, err)
	}
	return nil
}

// mountProc mounts /proc of the sandbox's PID namespace. Files about the whole machine
// are empty unless programs need them.
func mountProc(root string) error {
	flags := uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_RDONLY)
	if err := unix.Mount("proc", root+"/proc", "proc", flags, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return hideProc(root)
}

// shownProc are the entries of /proc that programs read besides their own processes:
// processors, memory, load and kernel settings. The symbolic links lead to a process.
var shownProc = []string{
	"cpuinfo", "filesystems", "loadavg", "meminfo", "mounts", "net", "self", "stat", "sys", "thread-self", "uptime", "version",
}

// hiddenOfProcess are files of process 1, the program, that contain paths of the
// machine.
var hiddenOfProcess = []string{"1/mountinfo", "1/mounts", "1/mountstats"}

// hideProc mounts empty files and folders over all other entries of /proc.
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
		// The test without a PID namespace may have no process 1.
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("hide /proc/%s: %w", name, err)
		}
	}
	return nil
}

// emptyDir is an empty folder.
const emptyDir = "/.empty"

// pivot makes a folder the root folder, and unmounts the old one.
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
		return fmt.Errorf("change root folder: %w", err)
	}
	return nil
}
