package sandbox

import (
	"io"
	"os"
)

// HomeDir is the path of the code in a sandbox, as in Scaleway's own runtimes.
const HomeDir = "/home/app"

// A Layout describes a sandbox before its program is known.
type Layout struct {
	// Visible are folders and files of this machine that the sandbox contains, read-only
	// and at the same path. Symbolic links stay symbolic links.
	Visible []string
	// Placed are folders and files that the sandbox contains at another path, read-only:
	// it maps paths of this machine to paths in the sandbox.
	Placed map[string]string
	// Home is the folder that is mounted on HomeDir; empty if MountCode follows.
	Home string
	// Temporary is the size of /tmp, in bytes; 0 if MountCode follows.
	Temporary int64
	// Readable are files and folders that the sandbox can read with the rights of their
	// owner, and Writable folders that it can change, at the same path. If there are
	// any, the program runs as their owner: user 0 of its namespace.
	Readable, Writable []string
	// Hidden are files of visible folders that the sandbox can neither read nor run.
	// Paths that do not exist are ignored, as is Hidden at level Restricted.
	Hidden []string
	// Disk gives the sandbox a disk of its own, if OpenDisks was called: /tmp and the
	// program's changes in HomeDir are on it, and the code appears as the program's own.
	// Temporary is the size of /dev/shm then.
	Disk bool
	// Processes is the maximum number of processes and threads; 0 means
	// DefaultProcesses.
	Processes int
	// Interface is the network interface that the launcher makes at level User; nil for none.
	Interface *Interface
	// Resolver is the DNS server in /etc/resolv.conf; empty for none.
	Resolver string
	// Hosts are additional lines of /etc/hosts.
	Hosts string
	// Files are inherited by the program as file descriptors 3 and up.
	Files []*os.File
	// Stdout and Stderr receive the output of the program; nil discards it.
	Stdout, Stderr io.Writer
}

// A Program describes the program that a sandbox executes.
type Program struct {
	// Path is the absolute path in the sandbox.
	Path string
	// Args includes the program's name.
	Args []string
	// Env is the whole environment, as "KEY=value".
	Env []string
	// Dir is the working directory, in the sandbox.
	Dir string
	// Profile selects the allowed system calls.
	Profile Profile
	// Assigned leaves a socket open at the file descriptor after those of
	// Layout.Files, from which the program reads what Assign sends.
	Assigned bool
	// Readable and Writable are folders of this machine that the program may use at
	// level Restricted. The levels with a root folder ignore them.
	Readable []string
	Writable []string
}

// Limits bound what the processes of a sandbox use together.
type Limits struct {
	// Memory is in bytes. It includes files in /dev/shm, and in /tmp if there is no disk.
	Memory int64
	// CPU is in thousandths of a CPU; 0 means no limit.
	CPU int
	// Processes is the number of processes and threads.
	Processes int
	// Temporary is the size of /tmp, or of /dev/shm in a sandbox with a disk, in bytes.
	Temporary int64
}

// LimitsFor returns the limits of a memory tier in MiB and a CPU tier in thousandths of
// a CPU. Temporary is half of the memory, at most 1024 MiB.
func LimitsFor(memoryMB, cpu int) Limits {
	memory := int64(memoryMB) << 20
	return Limits{Memory: memory, CPU: cpu, Processes: DefaultProcesses, Temporary: min(memory/2, 1024<<20)}
}

// DefaultProcesses is enough for the threads of all runtimes and some child processes.
const DefaultProcesses = 256

const (
	// DefaultDisk is the size of an instance's disk at Scaleway, in bytes.
	DefaultDisk = 1024 << 20
	// MinDisk is the minimum size of a disk, in bytes.
	MinDisk = 16 << 20
)

// An Interface is a network interface with a default route. Address has a prefix, such as
// 10.0.2.15/24; both addresses are IPv4.
type Interface struct{ Name, Address, Gateway string }
