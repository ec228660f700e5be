//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jeton-dev/jeton/test/await"
)

// Files of the folder.
const (
	supervisorFile = "supervisor" // its process ID
	initFile       = "init"       // the ID of process 1 of the namespaces, as seen outside
	readyFile      = "ready"
	failedFile     = "failed" // why the start failed
	cgroupsFile    = "cgroups"
	logFile        = "log/cluster.log"
	binDir         = "bin" // links to the program, named for its parts
	kubeconfigFile = "admin.kubeconfig"
)

// A Cluster is a running cluster.
type Cluster struct{ dir string }

// Open returns the running cluster of a folder.
func Open(dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{dir}
	if _, err := os.Stat(c.path(readyFile)); err != nil {
		return nil, fmt.Errorf("open cluster: %w: start one there", err)
	}
	if _, err := c.process(supervisorFile); err != nil {
		return nil, fmt.Errorf("open cluster: its supervisor has ended: %w", err)
	}
	return c, nil
}

// Start starts a cluster and waits until its node is ready. The caller must call Stop.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	if err := config.validate(); err != nil {
		return nil, err
	}
	c := &Cluster{config.Dir}
	if _, err := c.process(supervisorFile); err == nil {
		return nil, fmt.Errorf("start cluster: one runs in %s: stop it first", config.Dir)
	}
	if err := os.RemoveAll(config.Dir); err != nil {
		return nil, err
	}
	for _, dir := range []string{"log", "pids", "hold", binDir} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(config.write(), c.link(config.Kube)); err != nil {
		return nil, err
	}
	if err := c.supervise(config.Detached); err != nil {
		return nil, err
	}
	started := func() bool { return c.has(readyFile) || c.has(failedFile) || !c.running() }
	err := await.Until(ctx, "the cluster is ready", started)
	if err == nil && !c.has(readyFile) {
		reason, _ := os.ReadFile(c.path(failedFile))
		err = fmt.Errorf("start cluster: %s: see %s", reason, c.path("log"))
	}
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// link creates one link per part, so that each process has its part's name.
func (c *Cluster) link(program string) (err error) {
	for _, name := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubectl"} {
		err = errors.Join(err, os.Symlink(program, filepath.Join(c.path(binDir), name)))
	}
	return err
}

// supervise starts the supervisor. Unless it is detached, it ends with this process: with
// the thread that started it, so that the caller is the main goroutine, locked to its thread.
func (c *Cluster) supervise(detached bool) error {
	log, err := os.OpenFile(c.path(logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, stageSupervise, c.dir)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !detached {
		command.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	if err := command.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(c.path(supervisorFile), []byte(strconv.Itoa(command.Process.Pid)), 0o644); err != nil {
		return err
	}
	go func() { _ = command.Wait() }()
	return nil
}

// Stop stops the cluster of a folder, also one whose start failed.
func Stop(dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	return (&Cluster{dir}).Stop()
}

// Stop ends all processes of the cluster and removes its cgroups and data. The logs remain.
func (c *Cluster) Stop() error {
	if pid, err := c.process(supervisorFile); err == nil {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop cluster: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := await.Until(ctx, "all processes of the cluster have ended", func() bool { return !c.running() }); err != nil {
		return err
	}
	if err := removeCgroups(ctx, c.path(cgroupsFile)); err != nil {
		return err
	}
	var err error
	for _, name := range []string{"etcd", "containerd", "kubelet", "podlogs", "pids", "hold", readyFile, supervisorFile, initFile} {
		err = errors.Join(err, os.RemoveAll(c.path(name)))
	}
	return err
}

// running reports whether the supervisor or process 1 of the namespaces runs.
func (c *Cluster) running() bool {
	for _, file := range []string{supervisorFile, initFile} {
		if _, err := c.process(file); err == nil {
			return true
		}
	}
	return false
}

// process returns the process ID in a file if that process runs this program.
func (c *Cluster) process(file string) (int, error) {
	content, err := os.ReadFile(c.path(file))
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(string(content))
	if err != nil {
		return 0, err
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return 0, err
	}
	// A zombie has no command line. Another process may have the ID by now.
	if !strings.Contains(string(line), c.dir) {
		return 0, fmt.Errorf("process %d is not of the cluster", pid)
	}
	return pid, nil
}

// Command returns a command that runs inside. Its variables KUBECONFIG and JETON_TEST_CLUSTER
// name the configuration of the administrator and the folder, and kubectl is in its PATH. It
// ends with the cluster.
func (c *Cluster) Command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	pid, err := c.process(initFile)
	if err != nil {
		return nil, err
	}
	enter := []string{"-t", strconv.Itoa(pid), "--net", "--mount", "--pid", "--cgroup", "--", name}
	command := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	command.Env = append(os.Environ(), "KUBECONFIG="+c.path(kubeconfigFile), folderVariable+"="+c.dir,
		"PATH="+c.path(binDir)+":"+os.Getenv("PATH"))
	return command, nil
}

func (c *Cluster) path(name string) string { return filepath.Join(c.dir, name) }

func (c *Cluster) has(name string) bool {
	_, err := os.Stat(c.path(name))
	return err == nil
}
