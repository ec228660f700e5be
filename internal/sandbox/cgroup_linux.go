package sandbox

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"github.com/opencontainers/cgroups/fscommon"
	"golang.org/x/sys/unix"
)

// controllers are those that limit a sandbox.
var controllers = []string{"memory", "cpu", "pids"}

// cpuPeriod is how often the share of a CPU is counted, in microseconds.
const cpuPeriod = 100_000

// manager is what version 1 and version 2 of cgroups have in common.
type manager interface {
	Set(r *cgroups.Resources) error
	Destroy() error
	Path(controller string) string
}

// hierarchies is the manager of version 1, which has one for each controller. The
// library's own would see to all that there are.
type hierarchies map[string]string

// subsystem is one controller of version 1.
type subsystem interface {
	Set(path string, r *cgroups.Resources) error
}

var subsystems = map[string]subsystem{"memory": &fs.MemoryGroup{}, "cpu": &fs.CpuGroup{}, "pids": &fs.PidsGroup{}}

// doors makes the folders, and opens the files by which a thread joins. To put a
// whole process in from outside would have all of the machine's wait for a moment
// in which none starts another one: 10 ms, if that has not happened lately.
func (h hierarchies) doors() (files []int, err error) {
	for controller, path := range h {
		err := os.Mkdir(path, 0o755)
		fd := -1
		if err == nil {
			fd, err = unix.Open(filepath.Join(path, "tasks"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("controller %s: %w", controller, err)
		}
		files = append(files, fd)
	}
	return files, nil
}

func (h hierarchies) Set(r *cgroups.Resources) error {
	for controller, path := range h {
		if err := subsystems[controller].Set(path, r); err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
	}
	return nil
}

// Destroy leaves the map as it is, which the library's function would empty.
func (h hierarchies) Destroy() error { return cgroups.RemovePaths(maps.Clone(h)) }

func (h hierarchies) Path(controller string) string { return h[controller] }

// cgroupParent is where the cgroups of a server's sandboxes are: below its own,
// for a limit on the server is one on them, too.
type cgroupParent struct {
	unified bool
	// paths has a folder for each controller or, where they are unified, one
	// with no name.
	paths map[string]string
}

// openCgroups makes the parent of a server's sandboxes, by the server's name, and
// removes what servers that were killed have left.
func openCgroups(name string) (*cgroupParent, error) {
	name = fmt.Sprintf("%s%d.%s", cgroupPrefix, os.Getpid(), name)
	unified := cgroups.IsCgroup2UnifiedMode()
	p := &cgroupParent{unified: unified, paths: map[string]string{}}
	var err error
	if unified {
		err = p.delegate(name)
	} else {
		err = p.find(name)
	}
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	return p, nil
}

// cgroupPrefix begins the names of cgroups; the number of the server's process
// follows.
const cgroupPrefix = "jeton."

// sweep removes the cgroups of servers that are gone from a folder. None that has a
// process can be removed.
func sweep(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, cgroupPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range left {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), cgroupPrefix), ".")
		pid, err := strconv.Atoi(text)
		if err != nil || unix.Kill(pid, 0) == nil {
			continue
		}
		inside, _ := filepath.Glob(filepath.Join(path, "*", "cgroup.procs"))
		for _, file := range inside {
			_ = os.Remove(filepath.Dir(file))
		}
		_ = os.Remove(path)
	}
}

// find makes the parent in each hierarchy of version 1.
func (p *cgroupParent) find(name string) error {
	for _, controller := range controllers {
		path, err := cgroups.GetOwnCgroupPath(controller)
		if err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
		sweep(path)
		p.paths[controller] = filepath.Join(path, name)
		if err := os.MkdirAll(p.paths[controller], 0o755); err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
	}
	return nil
}

// delegate makes the parent in version 2, where a cgroup with processes in it
// cannot limit others below it: the server moves aside.
func (p *cgroupParent) delegate(name string) error {
	own, err := cgroups.ParseCgroupFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	root := filepath.Join(fs2.UnifiedMountpoint, own[""])
	sweep(root)
	aside := filepath.Join(root, name+".server")
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return err
	}
	if err := cgroups.WriteCgroupProc(aside, os.Getpid()); err != nil {
		return err
	}
	p.paths[""] = filepath.Join(root, name)
	if err := os.MkdirAll(p.paths[""], 0o755); err != nil {
		return err
	}
	enable := "+" + strings.Join(controllers, " +")
	for _, dir := range []string{root, p.paths[""]} {
		if err := cgroups.WriteFile(dir, "cgroup.subtree_control", enable); err != nil {
			return fmt.Errorf("have the controllers %s in %s (is it delegated to the server?): %w", strings.Join(controllers, ", "), dir, err)
		}
	}
	return nil
}

// remove removes the parent, which is empty by then.
func (p *cgroupParent) remove() error {
	var err error
	for _, path := range p.paths {
		err = errors.Join(err, cgroups.RemovePath(path))
	}
	return err
}

// A cgroup limits one sandbox.
type cgroup struct {
	manager manager
	unified bool

	mu sync.Mutex
	// removed is true once nothing is left to be limited.
	removed bool
}

// add makes the cgroup of one sandbox, without limits. A process joins it by the
// doors, files in which each of its threads writes 0; there are none if the process
// is in already.
func (p *cgroupParent) add(id string, pid int) (c *cgroup, doors []int, err error) {
	paths := map[string]string{}
	for controller, path := range p.paths {
		paths[controller] = filepath.Join(path, id)
	}
	if p.unified {
		m, err := joined(paths[""], pid)
		if err != nil {
			return nil, nil, fmt.Errorf("join cgroup: %w", err)
		}
		return &cgroup{manager: m, unified: true}, nil, nil
	}
	h := hierarchies(paths)
	if doors, err = h.doors(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make cgroup: %w", err), h.Destroy())
	}
	return &cgroup{manager: h}, doors, nil
}

// joined returns a cgroup of version 2 with a process in it.
func joined(path string, pid int) (manager, error) {
	m, err := fs2.NewManager(&cgroups.Cgroup{Resources: &cgroups.Resources{}}, path)
	if err != nil {
		return nil, err
	}
	if err := m.Apply(pid); err != nil {
		return nil, errors.Join(err, m.Destroy())
	}
	return m, nil
}

// limit sets what the processes of the cgroup may take. Without a limit of the
// CPU there is none. Once all have ended it does nothing.
func (c *cgroup) limit(l Limits) error {
	processes := int64(l.Processes)
	r := &cgroups.Resources{
		Memory: l.Memory, PidsLimit: &processes,
		CpuPeriod: cpuPeriod, CpuQuota: -1, SkipDevices: true,
	}
	if c.unified {
		// A sandbox that took too much ends as a whole.
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	if c.countsSwap() {
		// What is swapped out counts as well: there is none to be had.
		r.MemorySwap = l.Memory
	}
	if l.CPU > 0 {
		r.CpuQuota = int64(l.CPU) * cpuPeriod / 1000
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.removed {
		return nil
	}
	if err := c.manager.Set(r); err != nil {
		return fmt.Errorf("limit cgroup: %w", err)
	}
	return nil
}

// countsSwap tells whether swapped memory can be limited: version 1 of cgroups can
// be without that.
func (c *cgroup) countsSwap() bool {
	if c.unified {
		return true
	}
	_, err := os.Stat(filepath.Join(c.manager.Path("memory"), "memory.memsw.limit_in_bytes"))
	return err == nil
}

// outOfMemory tells whether a process was killed for the limit of memory.
func (c *cgroup) outOfMemory() bool {
	if c.unified {
		kills, err := fs2.OOMKillCount(c.manager.Path(""))
		return err == nil && kills > 0
	}
	kills, err := fscommon.GetValueByKey(c.manager.Path("memory"), "memory.oom_control", "oom_kill")
	return err == nil && kills > 0
}

// remove removes the cgroup, whose processes have ended.
func (c *cgroup) remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = true
	return c.manager.Destroy()
}

// memoryUsed is what the processes of the cgroup take now, in bytes.
func (c *cgroup) memoryUsed() (int64, error) {
	dir, name := c.manager.Path("memory"), "memory.usage_in_bytes"
	if c.unified {
		dir, name = c.manager.Path(""), "memory.current"
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
