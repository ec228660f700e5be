package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// outputDelay is how long the output of an ended program is still read. A process that
// it left behind may hold the pipe open.
const outputDelay = time.Second

// namespaces are the clone flags of a sandbox's own namespaces.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET

// A Sandbox is an isolated environment for one program and its child processes. The
// launcher runs in it first, and then executes the program. A Sandbox is not safe for
// concurrent use, except Signal, Kill, Memory, DiskUsed and Wait.
type Sandbox struct {
	id      string
	host    *Host
	user    int
	cmd     *exec.Cmd
	group   *child.Group
	control *net.UnixConn
	cgroup  *cgroup
	// mountNS and networkNS are nil if the level has no namespaces.
	mountNS, networkNS *os.File
	// tunnel is the file of the network interface, if the launcher has made it.
	tunnel *os.File
	// disk is the mount of the sandbox's own disk; 0 if it has none, or has none any more.
	// diskMu guards it after Start.
	disk   int
	diskMu sync.Mutex
	stderr *recorder
	// without is the layer that a probe's sandbox lacks; empty for all others.
	without string
}

// Start makes a sandbox, and returns when all isolation layers are set up. Exec starts
// the program later. The caller must call Wait, also after later errors.
func (h *Host) Start(ctx context.Context, l Layout) (*Sandbox, error) {
	return h.start(ctx, l, "")
}

func (h *Host) start(ctx context.Context, l Layout, without string) (*Sandbox, error) {
	s := &Sandbox{id: h.newID(), host: h, stderr: &recorder{Writer: l.Stderr}, without: without}
	config, err := s.configFor(l)
	if err != nil {
		return nil, err
	}
	if err := s.startLauncher(l); err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if err := s.setUp(ctx, config); err != nil {
		s.Kill()
		_ = s.Wait() // It was killed: the end is expected.
		return nil, fmt.Errorf("set up sandbox: %w", errors.Join(err, s.stderr.err()))
	}
	return s, nil
}

// startLauncher starts the launcher, which waits for its configuration.
func (s *Sandbox) startLauncher(l Layout) error {
	ours, theirs, err := controlPair()
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }()
	files := append(append([]*os.File{}, l.Files...), theirs)
	s.cmd = &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{launcher.Name, strconv.Itoa(2 + len(files))},
		Dir:  "/",
		// The launcher ends before more threads or garbage collection pay off.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off"},
		ExtraFiles:  files,
		Stdout:      l.Stdout,
		Stderr:      s.stderr,
		SysProcAttr: s.attributes(),
		WaitDelay:   outputDelay,
	}
	if s.group, err = child.Start(s.cmd); err != nil {
		s.releaseUser()
		return errors.Join(err, ours.Close())
	}
	s.control = ours
	return nil
}

// attributes returns the namespaces of the level and the launcher's user in them.
func (s *Sandbox) attributes() *syscall.SysProcAttr {
	if !s.host.level.namespaced() {
		return nil
	}
	flags := uintptr(namespaces)
	if s.without == layerNetwork || s.without == layerSockets {
		flags &^= unix.CLONE_NEWNET
	}
	if s.without == layerProcesses {
		flags &^= unix.CLONE_NEWPID
	}
	a := &syscall.SysProcAttr{Cloneflags: flags, Credential: &syscall.Credential{Uid: 0, Gid: 0, NoSetGroups: true}}
	if s.host.level == User {
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		return a
	}
	s.user = s.host.ids.acquire()
	mappings := []syscall.SysProcIDMap{
		{ContainerID: 0, HostID: s.user, Size: 1},
		{ContainerID: launcher.InnerID, HostID: s.user + 1, Size: 1},
	}
	a.UidMappings, a.GidMappings, a.GidMappingsEnableSetgroups = mappings, mappings, true
	return a
}

// controlPair returns the server's and the launcher's end of a control socket.
func controlPair() (*net.UnixConn, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "launcher")
	file := os.NewFile(uintptr(pair[0]), "control")
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	ours, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.Join(errors.New("make control socket: not a unix socket"), conn.Close(), theirs.Close())
	}
	return ours, theirs, nil
}

// Limit sets the limits of memory, CPU and processes from now on; it ignores
// Limits.Temporary. At a level without cgroups it does nothing.
func (s *Sandbox) Limit(l Limits) error {
	if s.cgroup == nil {
		return nil
	}
	return s.cgroup.limit(l)
}

// MountCode mounts a folder on HomeDir, and sets the size of the folder in memory
// (/tmp, or /dev/shm in a sandbox with a disk) in bytes. It may be called before or
// after Exec, if the host's CanMountCode is true.
func (s *Sandbox) MountCode(dir string, temporary int64) error {
	if s.disk != 0 {
		return s.mountCodeOnDisk(dir, temporary)
	}
	m := launcher.Mount{Source: dir, Target: HomeDir, Folder: true}
	fd, err := m.Open(nil)
	if err != nil {
		return err
	}
	return s.inMountNamespace(func() error {
		return errors.Join(m.Attach(fd, ""), resizeTemporary("/tmp", temporary))
	})
}

// mountCodeOnDisk mounts an overlay that writes the program's changes to its disk. The
// files appear as the program's own, unless the kernel or their file system does not
// support id-mapped mounts.
func (s *Sandbox) mountCodeOnDisk(dir string, temporary int64) error {
	idmap, err := s.host.disks.idmaps.namespaceOf(s.user + 1)
	if err != nil {
		return err
	}
	err = s.mountOverlay(dir, idmap, temporary)
	if errors.Is(err, unix.EINVAL) {
		if err := makeCodeWritable(s.disk, dir, s.user+1); err != nil {
			return err
		}
		err = s.mountOverlay(dir, nil, temporary)
	}
	return err
}

func (s *Sandbox) mountOverlay(dir string, idmap *os.File, temporary int64) error {
	m := launcher.Mount{Source: dir, Target: launcher.DiskCode, Folder: true, Owned: idmap != nil}
	fd, err := m.Open(idmap)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/%s,workdir=%s/%s,volatile", launcher.DiskCode, launcher.DiskMount, launcher.DiskUpper, launcher.DiskMount, launcher.DiskWork)
	return s.inMountNamespace(func() error {
		if err := m.Attach(fd, ""); err != nil {
			return err
		}
		if err := unix.Mount("overlay", HomeDir, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return fmt.Errorf("mount %s: %w", HomeDir, err)
		}
		return resizeTemporary(launcher.SharedMemory, temporary)
	})
}

// Exec makes the launcher execute the program. It does not wait: if the program cannot
// be executed, the sandbox ends with status 125. Call it once.
func (s *Sandbox) Exec(p Program) error {
	o := launcher.Order{Path: p.Path, Args: p.Args, Env: p.Env, Dir: p.Dir, Assigned: p.Assigned}
	l := list{profile: p.Profile, namespaced: s.host.level.namespaced()}
	if l.namespaced {
		l.part = second
	} else {
		o.Readable, o.Writable = append(SystemFolders(), p.Readable...), p.Writable
	}
	var err error
	if o.Filter, err = filter(l); err == nil {
		err = send(s.control, o.Encode(), nil)
	}
	if err != nil {
		return fmt.Errorf("execute in sandbox: %w", err)
	}
	if !p.Assigned {
		return s.control.Close()
	}
	return nil
}

// Assign sends text to a program with Program.Assigned, and closes the socket.
func (s *Sandbox) Assign(text []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(launcherTimeout)); err != nil {
		return err
	}
	_, err := s.control.Write(text)
	return errors.Join(err, s.control.CloseWrite(), s.control.Close())
}

// Signal sends a signal to the process group of the program.
func (s *Sandbox) Signal(signal syscall.Signal) { s.group.Signal(signal) }

// Kill sends SIGKILL to the process group of the program. In a PID namespace that ends
// all processes.
func (s *Sandbox) Kill() { s.group.Signal(syscall.SIGKILL) }

// Network returns the network namespace of the sandbox; nil at a level without
// namespaces. Wait closes it.
func (s *Sandbox) Network() *os.File { return s.networkNS }

// Tunnel returns the file of the network interface if the launcher has made one: at level User,
// if the layout has an interface. Egress that is attached to it closes it.
func (s *Sandbox) Tunnel() *os.File { return s.tunnel }

// PID returns the process id of the program in the server's PID namespace.
func (s *Sandbox) PID() int { return s.cmd.Process.Pid }

// An End describes how a sandbox ended.
type End struct {
	State *os.ProcessState
	// OutOfMemory is true if the program was killed after a process of the sandbox
	// reached the memory limit.
	OutOfMemory bool
}

// Wait waits until the program and its process group have ended, and removes the
// sandbox. Call it once.
func (s *Sandbox) Wait() End {
	_ = s.group.Wait() // End.State has the exit status, and more.
	_ = s.control.Close()
	end := End{State: s.cmd.ProcessState}
	if s.cgroup != nil {
		status, _ := end.State.Sys().(syscall.WaitStatus)
		end.OutOfMemory = status.Signal() == syscall.SIGKILL && s.cgroup.outOfMemory()
		_ = s.cgroup.remove() // If this fails, the next server removes the empty cgroup.
	}
	for _, f := range []*os.File{s.mountNS, s.networkNS, s.tunnel} {
		if f != nil {
			_ = f.Close()
		}
	}
	s.discardDisk()
	s.releaseUser()
	return end
}

func (s *Sandbox) releaseUser() {
	if s.user != 0 {
		s.host.ids.release(s.user)
		s.user = 0
	}
}

// Memory returns the memory in use by the sandbox, in bytes; 0 at a level without
// cgroups.
func (s *Sandbox) Memory() int64 {
	if s.cgroup == nil {
		return 0
	}
	used, err := s.cgroup.memoryUsed()
	if err != nil {
		return 0
	}
	return used
}

// DiskUsed returns the bytes in use on the sandbox's disk; 0 if it has none.
func (s *Sandbox) DiskUsed() int64 {
	s.diskMu.Lock()
	defer s.diskMu.Unlock()
	var f unix.Statfs_t
	if s.disk == 0 || unix.Fstatfs(s.disk, &f) != nil {
		return 0
	}
	return int64(f.Blocks-f.Bfree) * f.Bsize
}

func (s *Sandbox) discardDisk() {
	s.diskMu.Lock()
	defer s.diskMu.Unlock()
	if s.disk != 0 {
		discardDisk(s.disk)
		s.disk = 0
	}
}
