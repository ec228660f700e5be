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

	"github.com/jeton-dev/jeton/internal/sandbox/stage"
)

// probeName is the program's name by which it knows that it is the probe: the
// process within a sandbox that tries to get out, and tells how far it came.
const probeName = "jeton-probe"

// The probe is this program itself, like the stage.
func init() {
	if os.Args[0] != probeName {
		return
	}
	var q questions
	if len(os.Args) != 2 || json.Unmarshal([]byte(os.Args[1]), &q) != nil {
		os.Exit(stage.Failed)
	}
	if q.Memory > 0 {
		takeMemory(q.Memory)
	}
	_ = json.NewEncoder(os.Stdout).Encode(q.answer())
	os.Exit(0)
}

// questions are what the probe is to find out.
type questions struct {
	Level Level `json:"level"`
	// File is one of the server's, TCP, UDP, Abstract and Path are addresses at which
	// the server listens, and Process is a process of the server's user.
	File     string `json:"file"`
	TCP      string `json:"tcp"`
	UDP      string `json:"udp"`
	Abstract string `json:"abstract"`
	Path     string `json:"path"`
	Process  int    `json:"process"`
	// Temporary is the size of /tmp, and Processes how many there may be.
	Temporary int64 `json:"temporary"`
	Processes int   `json:"processes"`
	// Memory has the probe take this much, in bytes, and do nothing else.
	Memory int64 `json:"memory,omitempty"`
}

// answer tries everything, and returns what it could do, by layer: nothing, if
// the walls stand.
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
		return errors.New("what Landlock keeps can be written to")
	}
	return nil
}

// trySeccomp makes calls that are not on the list, in ways that would do nothing
// if they were.
func trySeccomp(questions) error {
	calls := map[string]func() unix.Errno{
		"mount":   func() unix.Errno { return raw(unix.SYS_MOUNT, 0, 0, 0) },
		"unshare": func() unix.Errno { return raw(unix.SYS_UNSHARE, unix.CLONE_NEWUSER, 0, 0) },
		"clone with new namespaces": func() unix.Errno {
			return raw(unix.SYS_CLONE, unix.CLONE_NEWUSER|unix.CLONE_FS, 0, 0)
		},
		// There is no process 0 to attach to. To ask to be traced would do something.
		"ptrace":         func() unix.Errno { return raw(unix.SYS_PTRACE, unix.PTRACE_ATTACH, 0, 0) },
		"bpf":            func() unix.Errno { return raw(unix.SYS_BPF, 0, 0, 0) },
		"keyctl":         func() unix.Errno { return raw(unix.SYS_KEYCTL, 0, 0, 0) },
		"io_uring_setup": func() unix.Errno { return raw(unix.SYS_IO_URING_SETUP, 1, 0, 0) },
		"a raw socket":   func() unix.Errno { return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) },
		"multipath TCP":  func() unix.Errno { return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP) },
		"a raw socket with a flag": func() unix.Errno {
			return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
		},
		"multipath TCP by a number that is too long": func() unix.Errno {
			return raw(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP|1<<32)
		},
		"the interfaces of a socket": func() unix.Errno { return raw(unix.SYS_IOCTL, 0, unix.SIOCGIFCONF, 0) },
		"an interface's index by a number that is too long": func() unix.Errno {
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
		"binding by a level that is too long": func() unix.Errno {
			_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, 0, unix.SOL_SOCKET|1<<32, unix.SO_BINDTODEVICE, 0, 0, 0)
			return errno
		},
		"input for a terminal by a number that is too long": func() unix.Errno {
			return raw(unix.SYS_IOCTL, 0, unix.TIOCSTI|1<<32, 0)
		},
	}
	return denied(calls)
}

// tryProfile makes calls that are on the lists of other languages, or that only the
// stage has need of.
func tryProfile(questions) error {
	return denied(map[string]func() unix.Errno{
		"shmget":     func() unix.Errno { return raw(unix.SYS_SHMGET, 0, 0, 0) },
		"pkey_alloc": func() unix.Errno { return raw(unix.SYS_PKEY_ALLOC, 1, 0, 0) },
		"seccomp":    func() unix.Errno { return raw(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, 0) },
	})
}

// denied asks that each call is answered as what is not on the list.
func denied(calls map[string]func() unix.Errno) error {
	for name, call := range calls {
		if errno := call(); errno != unix.EPERM {
			return fmt.Errorf("the list of system calls does not keep %s (%s)", name, errno.Error())
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

// tryMachine reads what tells of the machine in /proc.
func tryMachine() error {
	for _, name := range []string{
		"cmdline", "diskstats", "interrupts", "partitions", "softirqs", "vmstat", "zoneinfo", "modules", "pressure/cpu", "1/mountinfo", "1/mounts",
	} {
		if text, err := os.ReadFile("/proc/" + name); err == nil && len(text) > 0 {
			return fmt.Errorf("/proc/%s tells of the machine", name)
		}
	}
	return nil
}

func tryProcesses(q questions) error {
	if q.Level.namespaced() && os.Getpid() != 1 {
		return errors.New("the processes of the machine can be seen")
	}
	// Signal 0 is sent to nobody, and tells whether one could be.
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
	// Whether it comes through is for the server to say: it listens.
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

// tryTemporary fills /tmp, which must end, and empties it.
func tryTemporary(q questions) error {
	if !q.Level.namespaced() {
		return nil
	}
	f, err := os.Create("/tmp/probe")
	if err != nil {
		return fmt.Errorf("nothing can be written to /tmp: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := unix.Fallocate(int(f.Fd()), 0, 0, 2*q.Temporary); err == nil {
		return errors.New("/tmp is larger than its limit")
	}
	return nil
}

// tryForks starts more processes than there may be.
func tryForks(q questions) error {
	if !q.Level.namespaced() {
		return nil
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	made := forkWithoutEnd(pipe, q.Processes+1)
	switch {
	case made <= 0:
		return errors.New("no process can be started")
	case made > q.Processes:
		return errors.New("there can be more processes than the limit")
	}
	return nil
}

func tryUser(q questions) error {
	if q.Level == Full && (os.Getuid() != stage.InnerID || os.Getgid() != stage.InnerID) {
		return fmt.Errorf("the process is user %d of group %d", os.Getuid(), os.Getgid())
	}
	return nil
}

// takeMemory takes so many bytes, all of them.
func takeMemory(size int64) {
	taken := make([]byte, size)
	for i := 0; i < len(taken); i += os.Getpagesize() {
		taken[i] = 1
	}
	fmt.Fprintln(os.Stdout, len(taken))
}
