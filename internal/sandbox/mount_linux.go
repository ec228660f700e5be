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

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// devices are those of the machine that are seen inside.
var devices = []string{"/dev/null", "/dev/zero", fullDevice, "/dev/random", "/dev/urandom"}

const fullDevice = "/dev/full"

// planMounts says what is to be mounted for a layout. What is not there of what is
// visible is left out: machines differ in what they have beside their folder of
// programs.
func planMounts(l Layout) ([]stage.Mount, error) {
	var plan []stage.Mount
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
		plan = append(plan, stage.Mount{Source: device, Target: device, Device: true})
	}
	return append(plan, planHidden(l.Hidden, plan)...), nil
}

// planHidden puts an empty device that cannot be run over files that are seen.
func planHidden(hidden []string, plan []stage.Mount) []stage.Mount {
	var covers []stage.Mount
	seen := map[string]bool{}
	for _, path := range hidden {
		// A mount covers the file that a link leads to.
		path, err := filepath.EvalSymlinks(path)
		if err != nil || seen[path] || !covered(path, plan) {
			continue
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		seen[path] = true
		covers = append(covers, stage.Mount{Source: "/dev/null", Target: path, Device: true, Cover: true})
	}
	return covers
}

// covered tells whether a path is seen within a folder that is.
func covered(path string, plan []stage.Mount) bool {
	return slices.ContainsFunc(plan, func(m stage.Mount) bool { return m.Folder && strings.HasPrefix(path, m.Target+"/") })
}

func planMount(path string) (stage.Mount, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return stage.Mount{}, err
	}
	m := stage.Mount{Source: path, Target: path, Folder: info.IsDir()}
	if info.Mode()&os.ModeSymlink != 0 {
		m.Link, err = os.Readlink(path)
	}
	return m, err
}

// resizeTemporary sets the size of a folder in memory, in the mount namespace of
// the caller.
func resizeTemporary(dir string, size int64) error {
	options := "size=" + fmt.Sprint(size)
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|unix.MS_NOSUID|unix.MS_NODEV, options)
	if err != nil {
		return fmt.Errorf("set the size of %s: %w", dir, err)
	}
	return nil
}

// SystemFolders are what programs of most languages need of a machine: its
// programs and libraries, certificates and time zones. They are the ones to make
// visible where more than a program of one file is to run.
func SystemFolders() []string {
	return strings.Fields("/usr /bin /sbin /lib /lib64 /lib32 /etc/ssl /etc/alternatives /etc/ld.so.cache /etc/ca-certificates /etc/localtime")
}
