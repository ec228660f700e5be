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

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// devices are the devices of the machine that a sandbox contains.
var devices = []string{"/dev/null", "/dev/zero", fullDevice, "/dev/random", "/dev/urandom"}

const fullDevice = "/dev/full"

// planMounts returns the mounts of a layout. It leaves out visible paths that do not
// exist, since machines differ in their system folders.
func planMounts(l Layout) ([]launcher.Mount, error) {
	var plan []launcher.Mount
	seen := map[string]bool{}
	for _, path := range l.Visible {
		if seen[path] {
			continue
		}
		seen[path] = true
		if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
			return nil, fmt.Errorf("make %q visible: want a clean absolute path below /", path)
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
			return nil, fmt.Errorf("make %q writable: want a folder", path)
		}
		m.Owned, m.Writable = true, true
		plan = append(plan, m)
	}
	for _, device := range devices {
		plan = append(plan, launcher.Mount{Source: device, Target: device, Device: true})
	}
	return append(plan, planHidden(l.Hidden, plan)...), nil
}

// planHidden returns mounts of /dev/null over visible files, which hide them.
func planHidden(hidden []string, plan []launcher.Mount) []launcher.Mount {
	var covers []launcher.Mount
	seen := map[string]bool{}
	for _, path := range hidden {
		// A mount hides the target of a symbolic link, not the link.
		path, err := filepath.EvalSymlinks(path)
		if err != nil || seen[path] || !covered(path, plan) {
			continue
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		seen[path] = true
		covers = append(covers, launcher.Mount{Source: "/dev/null", Target: path, Device: true, Cover: true})
	}
	return covers
}

// covered reports whether a path is below a folder of the plan.
func covered(path string, plan []launcher.Mount) bool {
	return slices.ContainsFunc(plan, func(m launcher.Mount) bool { return m.Folder && strings.HasPrefix(path, m.Target+"/") })
}

func planMount(path string) (launcher.Mount, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return launcher.Mount{}, err
	}
	m := launcher.Mount{Source: path, Target: path, Folder: info.IsDir()}
	if info.Mode()&os.ModeSymlink != 0 {
		m.Link, err = os.Readlink(path)
	}
	return m, err
}

// resizeTemporary sets the size of a tmpfs in the caller's mount namespace, in bytes.
func resizeTemporary(dir string, size int64) error {
	options := "size=" + fmt.Sprint(size)
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, options)
	if err != nil {
		return fmt.Errorf("set size of %s: %w", dir, err)
	}
	return nil
}

// SystemFolders returns the files and folders of a machine that programs of most
// languages need: programs, libraries, certificates and time zones. Only a statically
// linked program works without them.
func SystemFolders() []string {
	return strings.Fields("/usr /bin /sbin /lib /lib64 /lib32 /etc/ssl /etc/alternatives /etc/ld.so.cache /etc/ca-certificates /etc/localtime")
}
