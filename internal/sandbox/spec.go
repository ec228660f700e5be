package sandbox

import (
	"io"
	"os"
)

// HomeDir is where the code of a sandbox is seen from inside, as in Scaleway's
// own runtimes.
const HomeDir = "/home/app"

// A Layout is how a sandbox looks before it is known what runs in it.
type Layout struct {
	// Visible are folders and files of this machine that can be seen inside,
	// read-only, each at its own path. What is a symbolic link here is one
	// inside.
	Visible []string
	// Placed are more of them that are seen at another path: the keys are those
	// of this machine.
	Placed map[string]string
	// Home is the folder that is seen as HomeDir, or empty if Reveal will say.
	Home string
	// Temporary is the size of /tmp, in bytes; 0 if Reveal will say.
	Temporary int64
	// Readable are files and folders that can be read inside as their owner can,
	// and Writable folders that can be changed, each at its own path. With any of
	// them the program is who they belong to.
	Readable, Writable []string
	// Hidden are files of visible folders that can be neither read nor run inside.
	// Only a level with a root folder of its own has it. What does not exist is
	// left out.
	Hidden []string
	// Disk gives the sandbox a disk of its own, if its host has any (OpenDisks): /tmp
	// is on it, and so is what the program changes in HomeDir, where the code is the
	// program's own. Temporary is the size of /dev/shm then.
	Disk bool
	// Processes is how many there may be, with their threads; 0 stands for
	// DefaultProcesses.
	Processes int
	// Resolver is the DNS server that programs ask; empty for none.
	Resolver string
	// Files are given to the process as file descriptors 3 and on.
	Files []*os.File
	// Stdout and Stderr receive what the process prints.
	Stdout, Stderr io.Writer
}

// A Program is what runs in a sandbox.
type Program struct {
	// Path is absolute, and seen from inside.
	Path string
	// Args includes the program's name.
	Args []string
	// Env is the whole environment, as "KEY=value".
	Env []string
	// Dir is where the process starts.
	Dir string
	// Profile names the system calls that are allowed.
	Profile Profile
	// Assigned has the process find, at the file descriptor behind those of
	// Layout.Files, what Assign sends.
	Assigned bool
	// Readable and Writable are folders of this machine that a process may use
	// at a level without a root folder of its own. The others have no need of
	// them.
	Readable []string
	Writable []string
}

// Limits bound what the processes of a sandbox take together.
type Limits struct {
	// Memory is in bytes. It counts what is written to /tmp, if that is in memory,
	// and to /dev/shm.
	Memory int64
	// CPU is in thousandths of one.
	CPU int
	// Processes counts threads, too.
	Processes int
	// Temporary is the size of the folder in memory, in bytes: /tmp, or /dev/shm
	// where there is a disk.
	Temporary int64
}

// LimitsFor returns the limits of a memory tier in megabytes and a CPU tier in
// thousandths. Half of the memory may go to files in memory, up to 1024 MiB.
func LimitsFor(memoryMB, cpu int) Limits {
	memory := int64(memoryMB) << 20
	return Limits{Memory: memory, CPU: cpu, Processes: DefaultProcesses, Temporary: min(memory/2, 1024<<20)}
}

// DefaultProcesses leaves room for the threads of all runtimes and for some
// child processes, and none for a fork bomb.
const DefaultProcesses = 256

const (
	// DefaultDisk is the size of an instance's disk at Scaleway, in bytes.
	DefaultDisk = 1024 << 20
	// LeastDisk is the smallest disk that is made, in bytes.
	LeastDisk = 16 << 20
)
