package sandbox

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Calls that are not listed here fail with EPERM. Programs that try one of them fall
// back to another.

// common are the system calls that programs of all languages make: for memory, files,
// threads, time, events and open sockets.
const common = `
brk mmap munmap mprotect mremap madvise msync mincore mlock munlock mlock2 membarrier memfd_create
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek sendfile copy_file_range splice tee vmsplice
open openat openat2 close close_range creat stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
readlink readlinkat getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
link linkat symlink symlinkat chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes utimensat futimesat
truncate ftruncate fallocate fsync fdatasync sync_file_range syncfs flock fcntl umask dup dup2 dup3 pipe pipe2 fadvise64
getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr
poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2
inotify_init inotify_init1 inotify_add_watch inotify_rm_watch timerfd_create timerfd_settime timerfd_gettime signalfd signalfd4
socketpair bind connect listen accept accept4 getsockname getpeername shutdown
sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigpending rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack
kill tkill tgkill pause alarm setitimer getitimer restart_syscall
futex futex_wake futex_wait futex_requeue futex_waitv set_robust_list get_robust_list set_tid_address gettid rseq sched_yield
sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max
sched_get_priority_min sched_getattr getpriority setpriority getcpu
clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times
timer_create timer_settime timer_gettime timer_getoverrun timer_delete
getpid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid getrlimit setrlimit prlimit64
getrusage sysinfo uname getrandom capget arch_prctl personality
setpgid setsid execve execveat fork vfork exit exit_group wait4 waitid pidfd_open pidfd_send_signal
prctl setuid setgid setresuid setresgid setreuid setregid
`

// particular are the additional system calls of the runtimes of single languages.
var particular = map[Profile]string{
	// V8 protects its code with memory protection keys.
	Node:   "pkey_alloc pkey_free pkey_mprotect",
	Python: "shmget shmat shmdt shmctl semget semop semctl",
	PHP:    "shmget shmat shmdt shmctl semget semop semctl",
	Go:     "",
	Rust:   "",
}

const (
	// newNamespaces are the flags of clone that create namespaces.
	newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
		unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWTIME
	// socketFlags may be combined with the type of a socket.
	socketFlags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	// high are the bits of an argument that the kernel ignores where it takes 32 bits. A
	// filter compares 64 bits: with one of them set, a denied value would not match.
	high = 0xffffffff_00000000
)

// allowed returns the names of the system calls of a profile that exist on this
// architecture and have no conditions.
func allowed(p Profile) ([]string, error) {
	info, err := arch.GetInfo("")
	if err != nil {
		return nil, fmt.Errorf("list system calls: %w", err)
	}
	names := strings.Fields(common)
	for profile, more := range particular {
		if profile == p || p == Generic {
			names = append(names, strings.Fields(more)...)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(name string) bool {
		_, known := info.SyscallNames[name]
		_, conditional := conditions[name]
		return !known || conditional
	}), nil
}

type conditional = seccomp.ArgumentConditions

func is(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: value}
}

// kind matches if the second argument is a socket type, with or without flags.
func kind(of uint64) seccomp.Condition {
	return without(1, ^(of | socketFlags))
}

func not(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.NotEqual, Value: value}
}

func below(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.LessThan, Value: value}
}

func above(argument uint32, value uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.GreaterThan, Value: value}
}

func without(argument uint32, bits uint64) seccomp.Condition {
	return seccomp.Condition{Argument: argument, Operation: seccomp.BitsNotSet, Value: bits}
}

// conditions are the system calls that are allowed with some arguments only. A call
// passes if all conditions of one of its lists hold.
var conditions = map[string][]conditional{
	"clone": {{without(0, newNamespaces)}},
	// Unix sockets, TCP and UDP, and route netlink, by which programs list their own
	// addresses. No raw sockets, and no other protocols, whose kernel code is less
	// reviewed. Landlock does not check multipath TCP.
	"socket": {
		{is(0, unix.AF_UNIX)},
		{is(0, unix.AF_INET), kind(unix.SOCK_STREAM), is(2, 0)},
		{is(0, unix.AF_INET), kind(unix.SOCK_STREAM), is(2, unix.IPPROTO_TCP)},
		{is(0, unix.AF_INET), kind(unix.SOCK_DGRAM), is(2, 0)},
		{is(0, unix.AF_INET), kind(unix.SOCK_DGRAM), is(2, unix.IPPROTO_UDP)},
		{is(0, unix.AF_INET6), kind(unix.SOCK_STREAM), is(2, 0)},
		{is(0, unix.AF_INET6), kind(unix.SOCK_STREAM), is(2, unix.IPPROTO_TCP)},
		{is(0, unix.AF_INET6), kind(unix.SOCK_DGRAM), is(2, 0)},
		{is(0, unix.AF_INET6), kind(unix.SOCK_DGRAM), is(2, unix.IPPROTO_UDP)},
		{is(0, unix.AF_NETLINK), is(2, unix.NETLINK_ROUTE)},
	},
	// No input to a terminal, and no requests about network interfaces: an inherited
	// socket, or a connection accepted from one, belongs to the server's network
	// namespace, so that a request would concern the server's interfaces.
	"ioctl": {
		{not(1, unix.TIOCSTI), not(1, unix.TIOCLINUX), without(1, high), below(1, firstInterfaceControl)},
		{without(1, high), above(1, lastInterfaceControl)},
	},
	// For the same reason no binding to an interface.
	"setsockopt": boundSocket, "getsockopt": boundSocket,
	// Other personalities than Linux's own weaken the memory layout.
	"personality": {{is(0, 0)}, {is(0, 0xffffffff)}},
	"prctl": {
		{is(0, unix.PR_SET_NAME)},
		{is(0, unix.PR_GET_NAME)},
		{is(0, unix.PR_SET_PDEATHSIG)},
		{is(0, unix.PR_GET_PDEATHSIG)},
		{is(0, unix.PR_SET_DUMPABLE)},
		{is(0, unix.PR_GET_DUMPABLE)},
		{is(0, unix.PR_SET_VMA)},
		{is(0, unix.PR_SET_NO_NEW_PRIVS)},
		{is(0, unix.PR_GET_NO_NEW_PRIVS)},
		{is(0, unix.PR_CAPBSET_READ)},
		{is(0, unix.PR_GET_SECCOMP)},
		{is(0, unix.PR_SET_TIMERSLACK)},
		{is(0, unix.PR_GET_TIMERSLACK)},
		{is(0, unix.PR_SET_CHILD_SUBREAPER)},
		{is(0, unix.PR_GET_CHILD_SUBREAPER)},
		{is(0, unix.PR_SET_THP_DISABLE)},
		{is(0, unix.PR_GET_THP_DISABLE)},
	},
}

const (
	// The first and the last ioctl request about network interfaces, wireless included.
	firstInterfaceControl = 0x8906
	lastInterfaceControl  = 0x8bff
)

// boundSocket allows socket options except those that bind to an interface.
var boundSocket = []conditional{
	{not(1, unix.SOL_SOCKET), without(1, high), without(2, high)},
	{is(1, unix.SOL_SOCKET), not(2, unix.SO_BINDTODEVICE), not(2, unix.SO_BINDTOIFINDEX), without(2, high)},
}

// restrictedConditions replace some conditions at levels without namespaces. Landlock
// denies TCP there, but neither other protocols nor unix sockets with a path, such as
// the server's own.
var restrictedConditions = map[string][]conditional{
	"socket": {{is(0, unix.AF_INET), kind(unix.SOCK_STREAM), is(2, 0)}},
}

// A list selects the system calls that a filter allows.
type list struct {
	profile Profile
	// namespaced is true if there is a network namespace.
	namespaced bool
	part       part
}

// A part selects the first or second of two filters, or the whole list in one. The
// kernel takes 0.25 ms to load a long filter. With two filters the launcher loads the
// first, which allows all profiles, ahead of need. The second is short: it denies what
// the program's own profile does not allow.
type part int

const (
	whole part = iota
	first
	second
)

// filters caches assembled filters by list.
var filters sync.Map

// filter returns the seccomp filter of a list in the kernel's format.
func filter(l list) ([]byte, error) {
	if known, _ := filters.Load(l); known != nil {
		if assembled, ok := known.([]byte); ok {
			return assembled, nil
		}
	}
	policy, err := l.policy()
	if err != nil {
		return nil, err
	}
	assembled, err := assemble(policy)
	if err != nil {
		return nil, fmt.Errorf("assemble seccomp filter: %w", err)
	}
	filters.Store(l, assembled)
	return assembled, nil
}

func assemble(policy *seccomp.Policy) ([]byte, error) {
	instructions, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	raw, err := bpf.Assemble(instructions)
	if err != nil {
		return nil, err
	}
	var assembled []byte
	for _, instruction := range raw {
		assembled, err = binary.Append(assembled, binary.NativeEndian, unix.SockFilter{
			Code: instruction.Op, Jt: instruction.Jt, Jf: instruction.Jf, K: instruction.K,
		})
		if err != nil {
			return nil, err
		}
	}
	return assembled, nil
}

func (l list) policy() (*seccomp.Policy, error) {
	switch l.part {
	case first:
		return allowing(Generic, l.namespaced, addingFilters)
	case second:
		return denying(l.profile)
	default:
		return allowing(l.profile, l.namespaced)
	}
}

// addingFilters is the system call by which the launcher adds the second filter.
const addingFilters = "seccomp"

// denying returns a policy that denies the calls that the first filter allows and the
// profile does not.
func denying(p Profile) (*seccomp.Policy, error) {
	more, err := allowed(Generic)
	if err != nil {
		return nil, err
	}
	own, err := allowed(p)
	if err != nil {
		return nil, err
	}
	more = slices.DeleteFunc(more, func(name string) bool { return slices.Contains(own, name) })
	return &seccomp.Policy{
		DefaultAction: seccomp.ActionAllow,
		Syscalls:      []seccomp.SyscallGroup{{Names: append(more, addingFilters), Action: seccomp.ActionErrno}},
	}, nil
}

// allowing returns a policy that allows the calls of a profile, and those of more.
func allowing(p Profile, namespaced bool, more ...string) (*seccomp.Policy, error) {
	names, err := allowed(p)
	if err != nil {
		return nil, err
	}
	var conditional []seccomp.NameWithConditions
	for name, lists := range conditions {
		if replaced, ok := restrictedConditions[name]; ok && !namespaced {
			lists = replaced
		}
		for _, list := range lists {
			conditional = append(conditional, seccomp.NameWithConditions{Name: name, Conditions: list})
		}
	}
	return &seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls: []seccomp.SyscallGroup{
			{Names: append(names, more...), NamesWithCondtions: conditional, Action: seccomp.ActionAllow},
			// The C library falls back to clone. Filters can check the flags of clone only.
			{Names: []string{"clone3"}, Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS)},
		},
	}, nil
}
