//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// The stages of the start are the first argument of this program; the second is the folder.
const (
	stageSupervise = "cluster-supervise"
	stageInit      = "cluster-init"
	stageManage    = "cluster-manage"
)

// RunStage runs a stage of the start if the arguments of the program, without its name, name
// one, and then exits. The main function of the program that calls Start calls it first.
func RunStage(args []string) {
	if len(args) != 2 {
		return
	}
	stage, known := map[string]func(*Cluster) error{
		stageSupervise: (*Cluster).runSupervisor, stageInit: (*Cluster).runInit, stageManage: (*Cluster).runManager,
	}[args[0]]
	if !known {
		return
	}
	// The parent death signal is bound to the thread that starts a child.
	runtime.LockOSThread()
	c := &Cluster{args[1]}
	if err := stage(c); err != nil {
		_ = os.WriteFile(c.path(failedFile), []byte(err.Error()), 0o644)
		fmt.Fprintln(os.Stderr, args[0]+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runSupervisor joins new cgroups, starts process 1 in new namespaces, and waits for it.
func (c *Cluster) runSupervisor() error {
	if err := joinCgroups(c.path(cgroupsFile)); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, stageInit, c.dir)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		// The cgroup namespace has the cgroups of this process as its root.
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWCGROUP,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("create namespaces: %w", err)
	}
	if err := os.WriteFile(c.path(initFile), []byte(strconv.Itoa(command.Process.Pid)), 0o644); err != nil {
		return errors.Join(err, command.Process.Kill(), command.Wait())
	}
	return command.Wait()
}

// runInit sets up the mounts, starts the manager, and reaps until the manager ends. It starts
// no other process, since it reaps all.
func (c *Cluster) runInit() error {
	if err := c.mount(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	manager, err := os.StartProcess(self, []string{self, stageManage, c.dir}, &os.ProcAttr{
		Dir: c.dir, Env: os.Environ(), Files: []*os.File{nil, os.Stdout, os.Stderr},
	})
	if err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return fmt.Errorf("reap: %w", err)
		case pid == manager.Pid:
			return fmt.Errorf("the manager has ended: status %d", status.ExitStatus())
		}
	}
}

// mount makes the namespaces visible in /proc and /sys/fs/cgroup, and hides the folders of the
// machine in which kubelet, containerd and the network plugins write.
func (c *Cluster) mount() error {
	const all = syscall.MS_REC
	steps := []struct {
		source, target, kind string
		flags                uintptr
	}{
		{"", "/", "", all | syscall.MS_PRIVATE},
		{"proc", "/proc", "proc", 0},
		{"", "/", "", all | syscall.MS_SHARED}, // mounts in volumes propagate to containers
	}
	for _, s := range steps {
		if err := syscall.Mount(s.source, s.target, s.kind, s.flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", s.target, err)
		}
	}
	groups, err := readCgroups(c.path(cgroupsFile))
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := syscall.Mount(g.own, g.hierarchy, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", g.hierarchy, err)
		}
	}
	for _, dir := range []string{"/run", "/var/lib/kubelet", "/var/lib/cni", "/var/log/containers", "/usr/libexec/kubernetes"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", dir, err)
		}
	}
	return nil
}

// A cgroup is the cluster's own group in a hierarchy.
type cgroup struct{ own, hierarchy string }

const cgroupRoot = "/sys/fs/cgroup"

// joinCgroups creates a group below the present one in each hierarchy, joins it, and lists it
// in a file.
func joinCgroups(file string) error {
	content, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	var list strings.Builder
	pid := strconv.Itoa(os.Getpid())
	for line := range strings.Lines(string(content)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || parts[1] == "" {
			continue
		}
		hierarchy := filepath.Join(cgroupRoot, strings.TrimPrefix(parts[1], "name="))
		parent := filepath.Join(hierarchy, parts[2])
		own := filepath.Join(parent, "jeton-kubernetes-"+pid)
		if err := os.MkdirAll(own, 0o755); err != nil {
			return err
		}
		fmt.Fprintln(&list, own, hierarchy)
		if parts[1] == "cpuset" {
			for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
				value, err := os.ReadFile(filepath.Join(parent, name))
				if err != nil {
					return err
				}
				if err := os.WriteFile(filepath.Join(own, name), value, 0); err != nil {
					return err
				}
			}
		}
		if err := os.WriteFile(filepath.Join(own, "cgroup.procs"), []byte(pid), 0); err != nil {
			return fmt.Errorf("join cgroup: %w", err)
		}
	}
	if list.Len() == 0 {
		return errors.New("join cgroups: the machine has no hierarchies of cgroup v1: the test cluster supports no other version")
	}
	return os.WriteFile(file, []byte(list.String()), 0o644)
}

func readCgroups(file string) (groups []cgroup, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(content)) {
		if own, hierarchy, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			groups = append(groups, cgroup{own, hierarchy})
		}
	}
	return groups, nil
}

// removeCgroups removes the groups in a file. The kernel needs a moment after the last process
// of a group has ended.
func removeCgroups(ctx context.Context, file string) error {
	groups, err := readCgroups(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, g := range groups {
		if err := await.Until(ctx, g.own+" is removed", func() bool { return removeTree(g.own) }); err != nil {
			return err
		}
	}
	return os.Remove(file)
}

// removeTree removes a group with its subgroups. The files of a group cannot be removed.
func removeTree(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	for _, e := range entries {
		if e.IsDir() && !removeTree(filepath.Join(dir, e.Name())) {
			return false
		}
	}
	return syscall.Rmdir(dir) == nil
}
