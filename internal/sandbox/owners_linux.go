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
	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// owners has user namespaces in which root is a user of sandboxes: a mount with one
// of them shows root's files as that user's. They are few, and kept.
type owners struct {
	mu    sync.Mutex
	users map[int]*os.File
}

func newOwners() *owners { return &owners{users: map[int]*os.File{}} }

// of returns the namespace of a user. It stays open.
func (o *owners) of(user int) (*os.File, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f := o.users[user]; f != nil {
		return f, nil
	}
	f, err := newUserNamespace(user)
	if err != nil {
		return nil, fmt.Errorf("make user namespace: %w", err)
	}
	o.users[user] = f
	return f, nil
}

func (o *owners) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var err error
	for _, f := range o.users {
		err = errors.Join(err, f.Close())
	}
	clear(o.users)
	return err
}

// newUserNamespace starts a process in a new one, which waits to be let go.
func newUserNamespace(user int) (*os.File, error) {
	ours, theirs, err := controlPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	mappings := []syscall.SysProcIDMap{{ContainerID: 0, HostID: user, Size: 1}}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{stage.Name, "3"}, Dir: "/", ExtraFiles: []*os.File{theirs},
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
	_ = group.Wait() // It was killed, which is no news.
	return f, errors.Join(err, ours.Close())
}
