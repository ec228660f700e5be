package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/sandbox/launcher"
)

// probeName is the program name (argument 0) that makes this program run as the probe:
// a process in a sandbox that tries to escape, and prints what it could do.
const probeName = "jeton-probe"

// The probe is this program itself, like the launcher.
func init() {
	if os.Args[0] != probeName {
		return
	}
	var q questions
	if len(os.Args) != 2 || json.Unmarshal([]byte(os.Args[1]), &q) != nil {
		os.Exit(launcher.Failed)
	}
	if q.Memory > 0 {
		allocate(q.Memory)
	}
	_ = json.NewEncoder(os.Stdout).Encode(q.answer())
	os.Exit(0)
}

// questions tell the probe what to try.
type questions struct {
	Level Level `json:"level"`
	// File is a file of the server. TCP, UDP, Abstract and Path are addresses at which
	// the server listens. Process is the server's process id.
	File     string `json:"file"`
	TCP      string `json:"tcp"`
	UDP      string `json:"udp"`
	Abstract string `json:"abstract"`
	Path     string `json:"path"`
	Process  int    `json:"process"`
	// Temporary is the size of /tmp in bytes, and Processes the maximum number of
	// processes.
	Temporary int64 `json:"temporary"`
	Processes int   `json:"processes"`
	// Memory, if positive, makes the probe allocate as many bytes and do nothing else.
	Memory int64 `json:"memory,omitempty"`
}

// answer tries everything, and returns what must not be possible but was, by layer. The
// result is empty if all layers hold.
func (q questions) answer() map[string]string {
	tries := map[string]func(questions) error{
		layerCapabilities: tryCapabilities,
		layerLandlock:     tryLandlock,
		layerProfile:      tryProfile,
		layerSeccomp:      trySeccomp,
		layerFiles:        tryFiles,
		layerProcesses:    tryProcesses,
		layerNetwork:      tryNetwork,
		layerSockets:      trySockets,
		layerTemporary:    tryTemporary,
		layerForks:        tryForks,
		layerUser:         tryUser,
	}
	failures := map[string]string{}
	for layer, try := range tries {
		if err := try(q); err != nil {
			failures[layer] = err.Error()
		}
	}
	return failures
}

func tryCapabilities(q questions) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	wanted := []string{"CapInh", "CapPrm", "CapEff", "CapAmb"}
	if q.Level.namespaced() {
		wanted = append(wanted, "CapBnd")
	}
	for _, name := range wanted {
		if !strings.Contains(string(status), name+":\t0000000000000000\n") {
			return fmt.Errorf("the process has capabilities (%s)", name)
		}
	}
	if !strings.Contains(string(status), "NoNewPrivs:\t1\n") {
		return errors.New("the process may gain privileges")
	}
	return nil
}

func tryLandlock(questions) error {
	f, err := os.OpenFile(fullDevice, os.O_WRONLY, 0)
	if err == nil {
		_ = f.Close()
		return errors.New("a file that Landlock must protect can be written to")
	}
	return nil
}

// trySeccomp makes system calls that the filter must deny, with arguments that have no
// effect if it does not.
func trySeccomp(questions) error {
	calls := map[string]func() unix.Errno{
		"mount":   func() unix.Errno { return raw(unix.SYS_MOUNT, 0, 0, 0) },
		"unshare": func() unix.Errno { return raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0) },
		"clone with new namespaces": func() unix.Errno {
			return raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_FS, 0, 0)
		},
		// There is no process 0 to attach to. PTRACE_TRACEME would have an effect.
		"ptrace":         func() unix.Errno { return raw(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 0, 0) },
		"bpf":            func() unix.Errno { return raw(unix.SYS_BPF, 0, 0, 0) },
		"keyctl":         func() unix.Errno { return raw(unix.SYS_KEYCTL, 0, 0, 0) },
		"io_uring_setup": func() unix.Errno { return raw(unix.SYS_IO_URING_SETUP, 1, 0, 0) },
		"a raw socket":   func() unix.Errno { return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) },
		"multipath TCP":  func() unix.Errno { return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP) },
		"a raw socket with a flag": func() unix.Errno {
			return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
		},
		"multipath TCP with high bits in the protocol": func() unix.Errno {
			return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP|1<<32)
		},
		"the interfaces of a socket": func() unix.Errno { return raw(unix.SYS_IOCTL, 0, unix.SIOCGIFCONF, 0) },
		"an interface's index with high bits in the request": func() unix.Errno {
			return raw(unix.SYS_IOCTL, 0, unix.SIOCGIFINDEX|1<<32, 0)
		},
		"binding a socket to an interface": func() unix.Errno {
			_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, 0, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, 0, 0, 0)
			return errno
		},
		"binding a socket to an interface by its index": func() unix.Errno {
			_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, 0, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, 0, 0, 0)
			return errno
		},
		"binding with high bits in the level": func() unix.Errno {
			_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, 0, unix.SOL_SOCKET|1<<32, unix.SO_BINDTODEVICE, 0, 0, 0)
			return errno
		},
		"terminal input with high bits in the request": func() unix.Errno {
			return raw(unix.SYS_IOCTL, 0, unix.TIOCSTI|1<<32, 0)
		},
	}
	return denied(calls)
}

// tryProfile makes system calls that only other languages or the launcher may make.
func tryProfile(questions) error {
	return denied(map[string]func() unix.Errno{
		"shmget":     func() unix.Errno { return raw(unix.SYS_SHMGET, 0, 0, 0) },
		"pkey_alloc": func() unix.Errno { return raw(unix.SYS_PKEY_ALLOC, 1, 0, 0) },
		"seccomp":    func() unix.Errno { return raw(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, 0) },
	})
}

// denied checks that each call fails with the filter's error.
func denied(calls map[string]func() unix.Errno) error {
	for name, call := range calls {
		if errno := call(); errno != unix.EPERM {
			return fmt.Errorf("the system call filter does not deny %s (%s)", name, errno.Error())
		}
	}
	return nil
}

func raw(trap, a, b, c uintptr) unix.Errno {
	_, _, errno := unix.RawSyscall(trap, a, b, c)
	return errno
}

func tryFiles(q questions) error {
	if _, err := os.ReadFile(q.File); err == nil {
		return errors.New("a file of the server can be read")
	}
	if q.Level.namespaced() {
		if err := tryMachine(); err != nil {
			return err
		}
	}
	if err := os.WriteFile("/usr/jeton-probe", nil, 0o644); err == nil {
		return errors.New("the folder of programs can be written to")
	}
	return nil
}

// tryMachine reads the files of /proc about the machine.
func tryMachine() error {
	for _, name := range []string{
		"cmdline", "diskstats", "interrupts", "partitions", "softirqs", "vmstat", "zoneinfo", "modules", "pressure/cpu", "1/mountinfo", "1/mounts",
	} {
		if text, err := os.ReadFile("/proc/" + name); err == nil && len(text) > 0 {
			return fmt.Errorf("/proc/%s shows data of the machine", name)
		}
	}
	return nil
}

func tryProcesses(q questions) error {
	if q.Level.namespaced() && os.Getpid() != 1 {
		return errors.New("the processes of the machine can be seen")
	}
	// Signal 0 only checks whether a signal could be sent.
	if err := unix.Kill(q.Process, 0); err == nil && os.Getpid() != q.Process {
		return errors.New("a signal can be sent to a process of the server")
	}
	return nil
}

func tryNetwork(q questions) error {
	if conn, err := net.DialTimeout("tcp", q.TCP, time.Second); err == nil {
		_ = conn.Close()
		return errors.New("a TCP port of the machine can be reached")
	}
	conn, err := net.Dial("udp", q.UDP)
	if err != nil {
		return nil
	}
	defer conn.Close()
	// The server checks whether the datagram arrives.
	_, _ = conn.Write([]byte(probeName))
	return nil
}

func trySockets(q questions) error {
	for kind, address := range map[string]string{"abstract socket": q.Abstract, "socket with a path": q.Path} {
		if conn, err := net.Dial("unix", address); err == nil {
			_ = conn.Close()
			return fmt.Errorf("%s of the machine can be reached", kind)
		}
	}
	return nil
}

// tryTemporary writes more to /tmp than its size.
func tryTemporary(q questions) error {
	if !q.Level.namespaced() {
		return nil
	}
	f, err := os.Create("/tmp/probe")
	if err != nil {
		return fmt.Errorf("/tmp cannot be written to: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 2*q.Temporary); err == nil {
		return errors.New("/tmp is larger than its limit")
	}
	return nil
}

// tryForks tries to start more processes than the limit.
func tryForks(q questions) error {
	if !q.Level.namespaced() {
		return nil
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	made := countForks(pipe, q.Processes+1)
	switch {
	case made <= 0:
		return errors.New("no process can be started")
	case made > q.Processes:
		return errors.New("more processes than the limit can be started")
	}
	return nil
}

func tryUser(q questions) error {
	if q.Level == Full && (os.Getuid() != launcher.InnerID || os.Getgid() != launcher.InnerID) {
		return fmt.Errorf("the process is user %d of group %d", os.Getuid(), os.Getgid())
	}
	return nil
}

// allocate allocates and writes to as many bytes.
func allocate(size int64) {
	memory := make([]byte, size)
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	fmt.Fprintln(os.Stdout, len(memory))
}
