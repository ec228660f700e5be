package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// configFor returns the launcher's configuration for a layout.
func (s *Sandbox) configFor(l Layout) (launcher.Config, error) {
	c := launcher.Config{
		Namespaces: s.host.level.namespaced(), Hostname: "jeton", Home: HomeDir, Resolver: l.Resolver, Hosts: l.Hosts,
		Temporary: cmp.Or(l.Temporary, defaultTemporary), Processes: cmp.Or(l.Processes, DefaultProcesses),
		Writable: l.Writable, DropUser: s.host.level == Full && len(l.Readable)+len(l.Writable) == 0,
		Disk: l.Disk && s.host.disks != nil,
		Omit: layerSteps[s.without],
	}
	var err error
	if s.host.level == User && l.Interface != nil {
		if c.Tunnel, err = l.Interface.tunnel(); err != nil {
			return c, err
		}
	}
	if s.without == layerForks {
		c.Processes *= 2
	}
	if c.Mounts, err = planMounts(l); err != nil {
		return c, err
	}
	if c.Disk {
		c.Mounts = append([]launcher.Mount{{Target: launcher.DiskMount, Folder: true}}, c.Mounts...)
	}
	if c.Namespaces {
		c.Filter, err = filter(list{namespaced: true, part: first})
	}
	return c, err
}

// tunnel returns the interface in the launcher's form.
func (i Interface) tunnel() (*launcher.Tunnel, error) {
	address, err := netip.ParsePrefix(i.Address)
	if err != nil {
		return nil, fmt.Errorf("read address of the interface: %w", err)
	}
	gateway, err := netip.ParseAddr(i.Gateway)
	if err != nil || !gateway.Is4() || !address.Addr().Is4() {
		return nil, fmt.Errorf("read gateway of the interface: want IPv4 addresses, got %s and %s", i.Address, i.Gateway)
	}
	t := &launcher.Tunnel{Name: i.Name, Address: address.Addr().As4(), Gateway: gateway.As4()}
	copy(t.Mask[:], net.CIDRMask(address.Bits(), address.Addr().BitLen()))
	return t, nil
}

// layerSteps are the launcher's steps that set up a layer.
var layerSteps = map[string][]launcher.Step{
	layerCapabilities: {launcher.Capabilities, launcher.Identity},
	layerLandlock:     {launcher.Landlock},
	layerNetwork:      {launcher.Loopback},
	layerProcesses:    {launcher.Processes},
	layerProfile:      {launcher.SecondFilter},
	layerSeccomp:      {launcher.Filter, launcher.SecondFilter},
	layerSockets:      {launcher.Loopback},
	layerUser:         {launcher.Identity},
}

// defaultTemporary is the size of /tmp until MountCode sets it, in bytes.
const defaultTemporary = 64 << 20

// setUp sends the configuration to the launcher, and waits until it has set up the
// layers in the sandbox's cgroup.
func (s *Sandbox) setUp(ctx context.Context, c launcher.Config) error {
	tasks, err := s.openCgroup(c.Processes)
	defer closeAll(tasks)
	if err != nil {
		return err
	}
	if err := s.openNamespaces(); err != nil {
		return err
	}
	mounts, err := s.openMounts(c.Mounts)
	defer closeAll(mounts)
	if err != nil {
		return err
	}
	c.CgroupFiles = len(tasks)
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := send(s.control, text, slices.Concat(tasks, mounts)); err != nil {
		return err
	}
	return s.awaitReady(ctx)
}

// openCgroup makes the cgroup, if the level has cgroups, and returns the task files by
// which the launcher joins it.
func (s *Sandbox) openCgroup(processes int) (tasks []int, err error) {
	if s.host.cgroups == nil {
		return nil, nil
	}
	if s.cgroup, tasks, err = s.host.cgroups.add(s.id, s.PID()); err != nil {
		return nil, err
	}
	return tasks, s.cgroup.limit(Limits{Memory: initialMemory, Processes: processes})
}

// openNamespaces opens the namespaces that the server changes from outside, if the
// level has namespaces.
func (s *Sandbox) openNamespaces() error {
	if !s.host.level.namespaced() {
		return nil
	}
	dir := filepath.Join("/proc", strconv.Itoa(s.PID()), "ns")
	var err error
	if s.mountNS, err = os.Open(filepath.Join(dir, "mnt")); err == nil {
		s.networkNS, err = os.Open(filepath.Join(dir, "net"))
	}
	if err != nil {
		return fmt.Errorf("open namespaces: %w", err)
	}
	return nil
}

// initialMemory is the memory limit until Limit sets one, in bytes: that of the largest
// tier, since interpreters read the limit at their start to size their heap.
const initialMemory = 4096 << 20

// openMounts opens the mounts for the launcher, which at level Full has no rights on
// this machine. At other levels the launcher opens them itself.
func (s *Sandbox) openMounts(plan []launcher.Mount) (files []int, err error) {
	if s.host.level != Full {
		return nil, nil
	}
	users, err := os.Open(filepath.Join("/proc", strconv.Itoa(s.PID()), "ns", "user"))
	if err != nil {
		return nil, fmt.Errorf("open namespaces: %w", err)
	}
	defer users.Close()
	for _, m := range plan {
		if m.Link != "" {
			continue
		}
		fd, err := s.openMount(m, users)
		if err != nil {
			return files, err
		}
		files = append(files, fd)
	}
	return files, nil
}

func (s *Sandbox) openMount(m launcher.Mount, users *os.File) (int, error) {
	if m.Target != launcher.DiskMount {
		return m.Open(users)
	}
	mount, err := s.host.disks.newDisk(s.user + 1)
	if err != nil {
		return -1, err
	}
	s.disk = mount
	return unix.FcntlInt(uintptr(mount), unix.F_DUPFD_CLOEXEC, 0)
}

func closeAll(files []int) {
	for _, fd := range files {
		_ = unix.Close(fd)
	}
}

// awaitReady waits for the launcher's byte.
func (s *Sandbox) awaitReady(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.control.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.control.SetReadDeadline(time.Now().Add(launcherTimeout)); err != nil {
		return err
	}
	answer, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := s.control.ReadMsgUnix(answer, rights)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("wait for the sandbox launcher: %w", err))
	}
	return s.receiveTunnel(rights[:m])
}

// receiveTunnel takes over the file of the interface, if the launcher has sent one.
func (s *Sandbox) receiveTunnel(rights []byte) error {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return err
	}
	files, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(files) == 0 {
		return err
	}
	s.tunnel = os.NewFile(uintptr(files[0]), "tunnel")
	return nil
}
