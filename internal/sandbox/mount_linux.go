package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// devices are those of the machine that are seen inside, and writableDevices
// those of them that Landlock lets programs write to. There is nothing to be had
// from writing to the other one, by which Landlock is seen to hold.
var (
	devices         = []string{"/dev/null", "/dev/zero", fullDevice, "/dev/random", "/dev/urandom"}
	writableDevices = []string{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"}
)

const fullDevice = "/dev/full"

// planMounts says what is to be mounted for a layout. What is not there of what is
// visible is left out: machines differ in what they have beside their folder of
// programs.
func planMounts(l Layout) ([]mount, error) {
	var plan []mount
	seen := map[string]bool{}
	for _, path := range l.Visible {
		if seen[path] {
			continue
		}
		seen[path] = true
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
			return nil, fmt.Errorf("cannot make %q visible: want a clean absolute path below /", path)
		}
		m, err := planMount(path)
		if errors.Is(err, os.ErrNotExist) || covered(path, plan) {
			continue
		}
		if err != nil {
			return nil, err
		}
		plan = append(plan, m)
	}
	placed := maps.Clone(l.Placed)
	if l.Home != "" {
		placed = map[string]string{l.Home: HomeDir}
		maps.Copy(placed, l.Placed)
	}
	for _, source := range slices.Sorted(maps.Keys(placed)) {
		m, err := planMount(source)
		if err != nil {
			return nil, err
		}
		m.Target = placed[source]
		plan = append(plan, m)
	}
	for _, path := range l.Readable {
		if covered(path, plan) {
			continue
		}
		m, err := planMount(path)
		if err != nil {
			return nil, err
		}
		m.Owned = true
		plan = append(plan, m)
	}
	for _, path := range l.Writable {
		m, err := planMount(path)
		if err != nil {
			return nil, err
		}
		if !m.Folder {
			return nil, fmt.Errorf("cannot make %q writable: want a folder", path)
		}
		m.Owned, m.Writable = true, true
		plan = append(plan, m)
	}
	for _, device := range devices {
		plan = append(plan, mount{Source: device, Target: device, Device: true})
	}
	return plan, nil
}

// covered tells whether a path is seen within a folder that is.
func covered(path string, plan []mount) bool {
	return slices.ContainsFunc(plan, func(m mount) bool { return m.Folder && strings.HasPrefix(path, m.Target+"/") })
}

func planMount(path string) (mount, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return mount{}, err
	}
	m := mount{Source: path, Target: path, Folder: info.IsDir()}
	if info.Mode()&os.ModeSymlink != 0 {
		m.Link, err = os.Readlink(path)
	}
	return m, err
}

// open makes a mount of its own of the source, which is nowhere yet. It can be
// read only, unless it is to be writable, and has no set-user-id and, but for a
// device itself, no devices. With users, a user namespace, what is owned and belongs
// to root belongs to root of that namespace.
func (m mount) open(users *os.File) (fd int, err error) {
	fd, err = unix.OpenTree(unix.AT_FDCWD, m.Source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return -1, fmt.Errorf("open %s for the sandbox: %w", m.Source, err)
	}
	attributes := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_NOSUID}
	switch {
	case m.Device:
		attributes.Attr_set |= unix.MOUNT_ATTR_NOEXEC
	case m.Writable:
		attributes.Attr_set |= unix.MOUNT_ATTR_NODEV
	default:
		attributes.Attr_set |= unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NODEV
	}
	if m.Owned && users != nil {
		attributes.Attr_set |= unix.MOUNT_ATTR_IDMAP
		attributes.Userns_fd = uint64(users.Fd())
	}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attributes); err != nil {
		return -1, errors.Join(fmt.Errorf("set what may be done with %s: %w", m.Source, err), unix.Close(fd))
	}
	return fd, nil
}

// attach puts an opened mount in its place. It takes the file descriptor over.
func (m mount) attach(fd int, root string) error {
	defer func() { _ = unix.Close(fd) }()
	err := unix.MoveMount(fd, "", unix.AT_FDCWD, root+m.Target, unix.MOVE_MOUNT_F_EMPTY_PATH)
	if err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	return nil
}

// makePlace makes what a mount is put on, or the symbolic link itself.
func (m mount) makePlace(root string) error {
	place := root + m.Target
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
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
func buildRoot(b blueprint, opened []int) error {
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
func (b blueprint) openMounts(opened []int) ([]int, error) {
	if len(opened) > 0 {
		return opened, nil
	}
	for _, m := range b.Mounts {
		if m.Link != "" {
			continue
		}
		fd, err := m.open(nil)
		if err != nil {
			return nil, err
		}
		opened = append(opened, fd)
	}
	return opened, nil
}

func furnishRoot(b blueprint, opened []int, root string) error {
	for _, dir := range []string{HomeDir, "/tmp", "/proc", "/dev", "/etc"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			return err
		}
	}
	if err := mountTemporary(root+"/tmp", 0o1777, b.Temporary, unix.MS_NOSUID|unix.MS_NODEV); err != nil {
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
		if err := m.attach(opened[0], root); err != nil {
			return err
		}
		opened = opened[1:]
	}
	for path, content := range etcFiles {
		if err := os.WriteFile(root+path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	if b.Resolver != "" {
		if err := os.WriteFile(root+"/etc/resolv.conf", []byte("nameserver "+b.Resolver+"\n"), 0o644); err != nil {
			return err
		}
	}
	if b.Without == layerProcesses {
		return errors.Join(linkDevices(root), unix.Mount("/proc", root+"/proc", "", unix.MS_BIND|unix.MS_REC, ""))
	}
	return errors.Join(linkDevices(root), mountProc(root))
}

func linkDevices(root string) error {
	links := map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"shm": "/tmp", // Shared memory counts as what it is: files in memory.
	}
	var err error
	for name, target := range links {
		err = errors.Join(err, os.Symlink(target, filepath.Join(root, "dev", name)))
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
	for _, name := range []string{"kcore", "keys", "key-users", "kallsyms", "kmsg", "modules", "sched_debug", "timer_list", "config.gz"} {
		err := unix.Mount(root+"/dev/null", root+"/proc/"+name, "", unix.MS_BIND, "")
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("hide /proc/%s: %w", name, err)
		}
	}
	return nil
}

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

// resizeTemporary sets the size of /tmp in the mount namespace of the caller.
func resizeTemporary(size int64) error {
	options := "size=" + fmt.Sprint(size)
	err := unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, options)
	if err != nil {
		return fmt.Errorf("set the size of /tmp: %w", err)
	}
	return nil
}

// SystemFolders are what programs of most languages need of a machine: its
// programs and libraries, certificates and time zones. They are the ones to make
// visible where more than a program of one file is to run.
func SystemFolders() []string {
	return strings.Fields("/usr /bin /sbin /lib /lib64 /lib32 /etc/ssl /etc/alternatives /etc/ld.so.cache /etc/ca-certificates /etc/localtime")
}
