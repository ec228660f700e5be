package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// outputDelay is how long the output of an ended program is still read, in case
// it left a process behind that holds it open.
const outputDelay = time.Second

// namespaces are those that a sandbox has for itself.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET

// A Sandbox is the walls around one process, from before they are built to the
// end of the last process within them.
type Sandbox struct {
	id      string
	host    *Host
	user    int
	cmd     *exec.Cmd
	group   *child.Group
	control *net.UnixConn
	cgroup  *cgroup
	// mounts and network are the namespaces, where the level has them.
	mounts, network *os.File
	// disk is the mount of the sandbox's own disk; 0 if it has none.
	disk      int
	complaint *head
	// without is the layer that a probe's sandbox lacks; empty for all others.
	without string
}

// Start builds a sandbox and returns it when its walls stand. The program comes
// later, by Become. The caller calls Wait, whatever comes.
func (h *Host) Start(ctx context.Context, l Layout) (*Sandbox, error) {
	return h.start(ctx, l, "")
}

func (h *Host) start(ctx context.Context, l Layout, without string) (*Sandbox, error) {
	s := &Sandbox{id: h.newID(), host: h, complaint: &head{Writer: l.Stderr}, without: without}
	b, err := s.plan(l)
	if err != nil {
		return nil, err
	}
	if err := s.launch(l); err != nil {
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	if err := s.build(ctx, b); err != nil {
		s.Kill()
		_ = s.Wait() // It was killed, which is no news.
		return nil, fmt.Errorf("build sandbox: %w", errors.Join(err, s.complaint.err()))
	}
	return s, nil
}

// launch starts the stage, which waits for its blueprint.
func (s *Sandbox) launch(l Layout) error {
	ours, theirs, err := controlPair()
	if err != nil {
		return err
	}
	defer func() { _ = theirs.Close() }()
	files := append(append([]*os.File{}, l.Files...), theirs)
	s.cmd = &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{stage.Name, strconv.Itoa(2 + len(files))},
		Dir:  "/",
		// The stage needs no more threads, and collects no garbage.
		Env:         []string{"GOMAXPROCS=1", "GOGC=off"},
		ExtraFiles:  files,
		Stdout:      l.Stdout,
		Stderr:      s.complaint,
		SysProcAttr: s.attributes(),
		WaitDelay:   outputDelay,
	}
	if s.group, err = child.Start(s.cmd); err != nil {
		s.giveBack()
		return errors.Join(err, ours.Close())
	}
	s.control = ours
	return nil
}

// attributes are the namespaces of the level, and who the stage is in them.
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
	s.user = s.host.ids.take()
	mappings := []syscall.SysProcIDMap{
		{ContainerID: 0, HostID: s.user, Size: 1},
		{ContainerID: stage.InnerID, HostID: s.user + 1, Size: 1},
	}
	a.UidMappings, a.GidMappings, a.GidMappingsEnableSetgroups = mappings, mappings, true
	return a
}

// controlPair returns the server's end of a socket and the stage's.
func controlPair() (*net.UnixConn, *os.File, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "stage")
	file := os.NewFile(uintptr(pair[0]), "control")
	defer func() { _ = file.Close() }()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	ours, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, nil, errors.Join(errors.New("the control socket is none"), conn.Close(), theirs.Close())
	}
	return ours, theirs, nil
}

// Limit sets what the processes within may take from now on, but for the size of
// /tmp. A level without cgroups has no such limits; that of processes holds there
// from the start.
func (s *Sandbox) Limit(l Limits) error {
	if s.cgroup == nil {
		return nil
	}
	return s.cgroup.limit(l)
}

// Reveal makes a folder visible in HomeDir, sets the size of the folder in memory
// (/tmp, or /dev/shm where there is a disk) in bytes, and works whatever runs within
// by now. Only a host that Prepares has it.
func (s *Sandbox) Reveal(dir string, temporary int64) error {
	if s.disk != 0 {
		return s.revealOnDisk(dir, temporary)
	}
	m := stage.Mount{Source: dir, Target: HomeDir, Folder: true}
	fd, err := m.Open(nil)
	if err != nil {
		return err
	}
	return s.within(func() error {
		return errors.Join(m.Attach(fd, ""), resizeTemporary("/tmp", temporary))
	})
}

// revealOnDisk has what the program changes of the folder go to its disk. The
// folder's files are the program's own, unless this kernel or the file system that
// they are on cannot show them so.
func (s *Sandbox) revealOnDisk(dir string, temporary int64) error {
	owner, err := s.host.disks.owners.of(s.user + 1)
	if err != nil {
		return err
	}
	err = s.overlay(dir, owner, temporary)
	if errors.Is(err, unix.EINVAL) {
		if err := openCode(s.disk, dir, s.user+1); err != nil {
			return err
		}
		err = s.overlay(dir, nil, temporary)
	}
	return err
}

func (s *Sandbox) overlay(dir string, owner *os.File, temporary int64) error {
	m := stage.Mount{Source: dir, Target: stage.DiskCode, Folder: true, Owned: owner != nil}
	fd, err := m.Open(owner)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/%s,workdir=%s/%s,volatile", stage.DiskCode, stage.DiskMount, stage.DiskUpper, stage.DiskMount, stage.DiskWork)
	return s.within(func() error {
		if err := m.Attach(fd, ""); err != nil {
			return err
		}
		if err := unix.Mount("overlay", HomeDir, "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return fmt.Errorf("mount %s: %w", HomeDir, err)
		}
		return resizeTemporary(stage.SharedMemory, temporary)
	})
}

// Become has the stage become the program. That it did not is told by its end.
func (s *Sandbox) Become(p Program) error {
	o := stage.Order{Path: p.Path, Args: p.Args, Env: p.Env, Dir: p.Dir, Assigned: p.Assigned}
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
		return fmt.Errorf("start in sandbox: %w", err)
	}
	if !p.Assigned {
		return s.control.Close()
	}
	return nil
}

// Assign sends what an assigned program waits for, and ends the sending.
func (s *Sandbox) Assign(text []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err := s.control.Write(text)
	return errors.Join(err, s.control.CloseWrite(), s.control.Close())
}

// Signal sends a signal to the program.
func (s *Sandbox) Signal(signal syscall.Signal) { s.group.Signal(signal) }

// Kill ends all processes of the sandbox.
func (s *Sandbox) Kill() { s.group.Signal(syscall.SIGKILL) }

// Network is the network namespace of the sandbox; nil if it has none of its own.
func (s *Sandbox) Network() *os.File { return s.network }

// PID is the number of the process on this machine.
func (s *Sandbox) PID() int { return s.cmd.Process.Pid }

// An End is how a sandbox ended.
type End struct {
	State *os.ProcessState
	// OutOfMemory is true if it was killed after a process had met the limit of
	// memory.
	OutOfMemory bool
}

// Wait waits for the end of the program and of all that it started, and takes the
// walls down.
func (s *Sandbox) Wait() End {
	// An exit status other than 0 is an error of Wait; the state tells more.
	_ = s.group.Wait()
	_ = s.control.Close()
	end := End{State: s.cmd.ProcessState}
	if s.cgroup != nil {
		status, _ := end.State.Sys().(syscall.WaitStatus)
		end.OutOfMemory = status.Signal() == syscall.SIGKILL && s.cgroup.outOfMemory()
		_ = s.cgroup.remove() // What is left of it is empty, and swept by the next server.
	}
	for _, f := range []*os.File{s.mounts, s.network} {
		if f != nil {
			_ = f.Close()
		}
	}
	if s.disk != 0 {
		discardDisk(s.disk)
	}
	s.giveBack()
	return end
}

func (s *Sandbox) giveBack() {
	if s.user != 0 {
		s.host.ids.giveBack(s.user)
		s.user = 0
	}
}

// A head passes everything on and remembers the beginning.
type head struct {
	io.Writer
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	if room := 1024 - h.text.Len(); room > 0 {
		h.text.Write(p[:min(room, len(p))])
	}
	h.mu.Unlock()
	if h.Writer == nil {
		return len(p), nil
	}
	return h.Writer.Write(p)
}

func (h *head) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.text.Len() == 0 {
		return nil
	}
	return errors.New(string(bytes.TrimSpace(h.text.Bytes())))
}

// Memory is what the processes within take now, in bytes; 0 where nobody counts.
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
