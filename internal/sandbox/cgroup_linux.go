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

// controllers are the cgroup controllers that limit a sandbox.
var controllers = []string{"memory", "cpu", "pids"}

// cpuPeriod is the period of the CPU quota, in microseconds.
const cpuPeriod = 100_000

// A manager controls one cgroup of version 1 or 2.
type manager interface {
	Set(r *cgroups.Resources) error
	Destroy() error
	Path(controller string) string
}

// hierarchies is the manager of version 1: it maps each controller to the path of the
// cgroup in its hierarchy. The library's manager would use all controllers.
type hierarchies map[string]string

// subsystem is one controller of version 1.
type subsystem interface {
	Set(path string, r *cgroups.Resources) error
}

var subsystems = map[string]subsystem{"memory": &fs.MemoryGroup{}, "cpu": &fs.CpuGroup{}, "pids": &fs.PidsGroup{}}

// create makes the cgroups and opens their task files, by which a thread joins. To move
// a whole process from outside takes the kernel's lock against all forks of the machine,
// 10 ms if it was not taken lately.
func (h hierarchies) create() (tasks []int, err error) {
	for controller, path := range h {
		err := os.Mkdir(path, 0o755)
		fd := -1
		if err == nil {
			fd, err = unix.Open(filepath.Join(path, "tasks"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			closeAll(tasks)
			return nil, fmt.Errorf("controller %s: %w", controller, err)
		}
		tasks = append(tasks, fd)
	}
	return tasks, nil
}

func (h hierarchies) Set(r *cgroups.Resources) error {
	for controller, path := range h {
		if err := subsystems[controller].Set(path, r); err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
	}
	return nil
}

// Destroy removes the cgroups. It passes a copy, since the library empties the map.
func (h hierarchies) Destroy() error { return cgroups.RemovePaths(maps.Clone(h)) }

func (h hierarchies) Path(controller string) string { return h[controller] }

// cgroupParent is the parent of the cgroups of a server's sandboxes. It is below the
// server's own cgroup, so that limits of the server include its sandboxes.
type cgroupParent struct {
	unified bool
	// paths maps each controller to its folder; in version 2 the only key is "".
	paths map[string]string
}

// openCgroups makes the parent cgroup for a server's name, and removes the cgroups of
// servers that were killed.
func openCgroups(name string) (*cgroupParent, error) {
	name = fmt.Sprintf("%s%d.%s", cgroupPrefix, os.Getpid(), name)
	unified := cgroups.IsCgroup2UnifiedMode()
	p := &cgroupParent{unified: unified, paths: map[string]string{}}
	var err error
	if unified {
		err = p.makeV2(name)
	} else {
		err = p.makeV1(name)
	}
	if err != nil {
		return nil, fmt.Errorf("cgroups: %w", err)
	}
	return p, nil
}

// cgroupPrefix begins the names of cgroups; the server's process id follows.
const cgroupPrefix = "jeton."

// removeStale removes the cgroups of ended servers from a folder. The kernel refuses to
// remove a cgroup with processes.
func removeStale(dir string) {
	paths, err := filepath.Glob(filepath.Join(dir, cgroupPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), cgroupPrefix), ".")
		pid, err := strconv.Atoi(text)
		if err != nil || unix.Kill(pid, 0) == nil {
			continue
		}
		members, _ := filepath.Glob(filepath.Join(path, "*", "cgroup.procs"))
		for _, file := range members {
			_ = os.Remove(filepath.Dir(file))
		}
		_ = os.Remove(path)
	}
}

// makeV1 makes the parent in each hierarchy of version 1.
func (p *cgroupParent) makeV1(name string) error {
	for _, controller := range controllers {
		path, err := cgroups.GetOwnCgroupPath(controller)
		if err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
		removeStale(path)
		p.paths[controller] = filepath.Join(path, name)
		if err := os.MkdirAll(p.paths[controller], 0o755); err != nil {
			return fmt.Errorf("controller %s: %w", controller, err)
		}
	}
	return nil
}

// makeV2 creates the parent in version 2. In that version a cgroup that contains
// processes cannot limit its children, so the server moves itself to a sibling.
func (p *cgroupParent) makeV2(name string) error {
	own, err := cgroups.ParseCgroupFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	root := filepath.Join(fs2.UnifiedMountpoint, own[""])
	removeStale(root)
	server := filepath.Join(root, name+".server")
	if err := os.MkdirAll(server, 0o755); err != nil {
		return err
	}
	if err := cgroups.WriteCgroupProc(server, os.Getpid()); err != nil {
		return err
	}
	p.paths[""] = filepath.Join(root, name)
	if err := os.MkdirAll(p.paths[""], 0o755); err != nil {
		return err
	}
	enable := "+" + strings.Join(controllers, " +")
	for _, dir := range []string{root, p.paths[""]} {
		if err := cgroups.WriteFile(dir, "cgroup.subtree_control", enable); err != nil {
			return fmt.Errorf("enable controllers %s in %s: %w: delegate this cgroup to the server", strings.Join(controllers, ", "), dir, err)
		}
	}
	return nil
}

// remove removes the parent, which must be empty.
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
	// removed is true after remove; limit does nothing then.
	removed bool
}

// add makes the cgroup of one sandbox, without limits. In version 2 it moves process
// pid into it. In version 1 it returns task files instead: a thread joins when it
// writes 0 to each of them.
func (p *cgroupParent) add(id string, pid int) (c *cgroup, tasks []int, err error) {
	paths := map[string]string{}
	for controller, path := range p.paths {
		paths[controller] = filepath.Join(path, id)
	}
	if p.unified {
		m, err := makeWithProcess(paths[""], pid)
		if err != nil {
			return nil, nil, fmt.Errorf("join cgroup: %w", err)
		}
		return &cgroup{manager: m, unified: true}, nil, nil
	}
	h := hierarchies(paths)
	if tasks, err = h.create(); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make cgroup: %w", err), h.Destroy())
	}
	return &cgroup{manager: h}, tasks, nil
}

// makeWithProcess makes a cgroup of version 2 and moves a process into it.
func makeWithProcess(path string, pid int) (manager, error) {
	m, err := fs2.NewManager(&cgroups.Cgroup{Resources: &cgroups.Resources{}}, path)
	if err != nil {
		return nil, err
	}
	if err := m.Apply(pid); err != nil {
		return nil, errors.Join(err, m.Destroy())
	}
	return m, nil
}

// limit sets the limits of the processes in the cgroup. A CPU limit of 0 means none.
// After remove it does nothing.
func (c *cgroup) limit(l Limits) error {
	processes := int64(l.Processes)
	r := &cgroups.Resources{
		Memory: l.Memory, PidsLimit: &processes,
		CpuPeriod: cpuPeriod, CpuQuota: -1, SkipDevices: true,
	}
	if c.unified {
		// The kernel kills all processes of a sandbox that exceeds its memory limit.
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	if c.countsSwap() {
		// The limit includes swapped memory.
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

// countsSwap reports whether swapped memory can be limited. Kernels with version 1 may
// lack that.
func (c *cgroup) countsSwap() bool {
	if c.unified {
		return true
	}
	_, err := os.Stat(filepath.Join(c.manager.Path("memory"), "memory.memsw.limit_in_bytes"))
	return err == nil
}

// outOfMemory reports whether the kernel killed a process at the memory limit.
func (c *cgroup) outOfMemory() bool {
	if c.unified {
		kills, err := fs2.OOMKillCount(c.manager.Path(""))
		return err == nil && kills > 0
	}
	kills, err := fscommon.GetValueByKey(c.manager.Path("memory"), "memory.oom_control", "oom_kill")
	return err == nil && kills > 0
}

// remove removes the cgroup, whose processes must have ended.
func (c *cgroup) remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removed = true
	return c.manager.Destroy()
}

// memoryUsed returns the memory in use by the processes of the cgroup, in bytes.
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
