package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// plan is what the stage is to build.
func (s *Sandbox) plan(l Layout) (stage.Blueprint, error) {
	b := stage.Blueprint{
		Namespaces: s.host.level.namespaced(), Hostname: "jeton", Home: HomeDir, Resolver: l.Resolver,
		Temporary: cmp.Or(l.Temporary, defaultTemporary), Processes: cmp.Or(l.Processes, DefaultProcesses),
		Writable: l.Writable, Nobody: s.host.level == Full && len(l.Readable)+len(l.Writable) == 0,
		Disk: l.Disk && s.host.disks != nil,
		Omit: leftOut[s.without],
	}
	if s.without == layerForks {
		b.Processes *= 2
	}
	var err error
	if b.Mounts, err = planMounts(l); err != nil {
		return b, err
	}
	if b.Disk {
		b.Mounts = append([]stage.Mount{{Target: stage.DiskMount, Folder: true}}, b.Mounts...)
	}
	if b.Namespaces {
		b.Filter, err = filter(list{namespaced: true, part: first})
	}
	return b, err
}

// leftOut are the steps of the stage that make up a layer.
var leftOut = map[string][]stage.Step{
	layerCapabilities: {stage.Capabilities, stage.Identity},
	layerLandlock:     {stage.Landlock},
	layerNetwork:      {stage.Loopback},
	layerProcesses:    {stage.Processes},
	layerProfile:      {stage.SecondFilter},
	layerSeccomp:      {stage.Filter, stage.SecondFilter},
	layerSockets:      {stage.Loopback},
	layerUser:         {stage.Identity},
}

// defaultTemporary is the size of /tmp before Reveal sets it.
const defaultTemporary = 64 << 20

// build has the stage build the walls, within its cgroup.
func (s *Sandbox) build(ctx context.Context, b stage.Blueprint) error {
	doors, err := s.openCgroup(b.Processes)
	defer closeAll(doors)
	if err != nil {
		return err
	}
	if err := s.openNamespaces(); err != nil {
		return err
	}
	files, err := s.openMounts(b.Mounts)
	defer closeAll(files)
	if err != nil {
		return err
	}
	b.Doors = len(doors)
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if err := send(s.control, text, slices.Concat(doors, files)); err != nil {
		return err
	}
	return s.awaitBuilt(ctx)
}

// openCgroup makes the cgroup, where the level has them, and returns the files by
// which the stage joins it.
func (s *Sandbox) openCgroup(processes int) (doors []int, err error) {
	if s.host.cgroups == nil {
		return nil, nil
	}
	if s.cgroup, doors, err = s.host.cgroups.add(s.id, s.PID()); err != nil {
		return nil, err
	}
	return doors, s.cgroup.limit(Limits{Memory: buildMemory, Processes: processes})
}

// openNamespaces opens those into which the server reaches, where the level has
// them.
func (s *Sandbox) openNamespaces() error {
	if !s.host.level.namespaced() {
		return nil
	}
	dir := filepath.Join("/proc", strconv.Itoa(s.PID()), "ns")
	var err error
	if s.mounts, err = os.Open(filepath.Join(dir, "mnt")); err == nil {
		s.network, err = os.Open(filepath.Join(dir, "net"))
	}
	if err != nil {
		return fmt.Errorf("open namespaces: %w", err)
	}
	return nil
}

// buildMemory is what a sandbox may take before Limit says: as much as the largest
// tier, for interpreters that size their heap by it when they start.
const buildMemory = 4096 << 20

// openMounts opens what the stage could not, who is nobody on this machine.
func (s *Sandbox) openMounts(plan []stage.Mount) (files []int, err error) {
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

func (s *Sandbox) openMount(m stage.Mount, users *os.File) (int, error) {
	if m.Target != stage.DiskMount {
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

func (s *Sandbox) awaitBuilt(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.control.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := s.control.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	answer := make([]byte, 1)
	if _, err := io.ReadFull(s.control, answer); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("wait for the walls: %w", err))
	}
	return nil
}
