package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/child"
	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// idmaps holds user namespaces that map root to one sandbox user each. A mount with
// such a namespace shows root's files as that user's. Users are reused, so the
// namespaces stay open until close. All methods are safe for concurrent use.
type idmaps struct {
	mu    sync.Mutex
	users map[int]*os.File
}

func newIDMaps() *idmaps { return &idmaps{users: map[int]*os.File{}} }

// namespaceOf returns the namespace of a user. The caller must not close it.
func (m *idmaps) namespaceOf(user int) (*os.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.users[user]; f != nil {
		return f, nil
	}
	f, err := newUserNamespace(user)
	if err != nil {
		return nil, fmt.Errorf("make user namespace: %w", err)
	}
	m.users[user] = f
	return f, nil
}

func (m *idmaps) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	for _, f := range m.users {
		err = errors.Join(err, f.Close())
	}
	clear(m.users)
	return err
}

// newUserNamespace starts a launcher in a new namespace, opens the namespace, and kills
// the launcher.
func newUserNamespace(user int) (*os.File, error) {
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	mappings := []syscall.SysProcIDMap{{ContainerID: 0, HostID: user, Size: 1}}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{launcher.Name, "3"}, Dir: "/", ExtraFiles: []*os.File{theirs},
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags: unix.CLONE_NEWUSER, UidMappings: mappings, GidMappings: mappings, GidMappingsEnableSetgroups: true,
		},
	}
	group, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid), "ns", "user"))
	group.Signal(syscall.SIGKILL)
	_ = group.Wait() // It was killed: Wait returns an error.
	return f, errors.Join(err, ours.Close())
}
