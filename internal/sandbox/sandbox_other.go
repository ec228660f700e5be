//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"os"
	"syscall"
)

// errNotLinux is the error of all functions on other systems than Linux.
var errNotLinux = errors.New("isolate instances: only Linux is supported: choose --isolation=none to run them as plain processes, where " +
	descriptions[None].lacks)

// A Host cannot be made on this system.
type Host struct{}

// A Sandbox cannot be made on this system.
type Sandbox struct{}

// An End describes how a sandbox ended.
type End struct {
	State       *os.ProcessState
	OutOfMemory bool
}

// Open returns an error.
func Open(Level, string) (*Host, error) { return nil, errNotLinux }

// Default returns an error.
func Default() (Level, error) { return None, errNotLinux }

// Level returns None.
func (*Host) Level() Level { return None }

// CanMountCode returns false.
func (*Host) CanMountCode() bool { return false }

// Connects returns an error.
func (*Host) Connects() error { return errNotLinux }

// CheckTunnel returns an error.
func CheckTunnel() error { return errNotLinux }

// Close does nothing.
func (*Host) Close() error { return nil }

// OpenDisks returns an error.
func (*Host) OpenDisks(string, int64) error { return errNotLinux }

// DiskSpace returns an error.
func (*Host) DiskSpace() (free, size int64, err error) { return 0, 0, errNotLinux }

// Start returns an error.
func (*Host) Start(context.Context, Layout) (*Sandbox, error) { return nil, errNotLinux }

// Limit returns an error.
func (*Sandbox) Limit(Limits) error { return errNotLinux }

// MountCode returns an error.
func (*Sandbox) MountCode(string, int64) error { return errNotLinux }

// Exec returns an error.
func (*Sandbox) Exec(Program) error { return errNotLinux }

// Assign returns an error.
func (*Sandbox) Assign([]byte) error { return errNotLinux }

// Signal does nothing.
func (*Sandbox) Signal(syscall.Signal) {}

// Kill does nothing.
func (*Sandbox) Kill() {}

// Network returns nil.
func (*Sandbox) Network() *os.File { return nil }

// Tunnel returns nil.
func (*Sandbox) Tunnel() *os.File { return nil }

// Memory returns 0.
func (*Sandbox) Memory() int64 { return 0 }

// DiskUsed returns 0.
func (*Sandbox) DiskUsed() int64 { return 0 }

// Wait returns at once.
func (*Sandbox) Wait() End { return End{} }

// SystemFolders returns nil.
func SystemFolders() []string { return nil }

// Prove returns an error.
func (*Host) Prove(context.Context) (Report, error) { return nil, errNotLinux }

// AvailableMemory returns 0: the size is unknown.
func AvailableMemory() int64 { return 0 }
