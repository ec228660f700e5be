package launcher

import "slices"

// A Config describes the isolation layers that the launcher sets up, as JSON.
type Config struct {
	// Namespaces is true for a launcher in new namespaces. It sets up a root folder
	// and all restrictions before it receives the Order.
	Namespaces bool `json:"namespaces"`
	// CgroupFiles is how many of the descriptors that come with the Config, from the
	// first on, are task files of the launcher's cgroup. The others are mounts.
	CgroupFiles int     `json:"cgroup_files,omitempty"`
	Mounts      []Mount `json:"mounts"`
	Hostname    string  `json:"hostname"`
	// Home is an empty folder that the launcher makes, for a mount that the server
	// adds later.
	Home string `json:"home"`
	// Writable are folders that the program may change.
	Writable []string `json:"writable,omitempty"`
	// DropUser makes the program run as InnerID instead of the launcher's user.
	DropUser bool `json:"drop_user,omitempty"`
	// Resolver is the DNS server; empty for none.
	Resolver string `json:"resolver,omitempty"`
	// Tunnel is a network interface that the launcher makes, and whose file it sends with
	// Ready; nil for none.
	Tunnel *Tunnel `json:"tunnel,omitempty"`
	// Hosts are additional lines of /etc/hosts.
	Hosts string `json:"hosts,omitempty"`
	// Disk makes the first of the mounts the sandbox's own disk, which holds /tmp.
	Disk bool `json:"disk,omitempty"`
	// Temporary is the size of /tmp in memory or, with a disk, of /dev/shm, in bytes.
	Temporary int64 `json:"temporary"`
	// Processes is the maximum number of processes and threads of the launcher's user.
	Processes int `json:"processes"`
	// Filter is the first of two seccomp filters, in the kernel's format. It is used
	// with namespaces only.
	Filter []byte `json:"filter,omitempty"`
	// Omit are the steps that the launcher leaves out, to test that the probe detects
	// a missing layer.
	Omit []Step `json:"omit,omitempty"`
}

// A Tunnel is a network interface, with a default route for IPv4.
type Tunnel struct {
	Name    string  `json:"name"`
	Address [4]byte `json:"address"`
	Gateway [4]byte `json:"gateway"`
	Mask    [4]byte `json:"mask"`
}

// A Step is a step of the setup that a Config may omit. Its text appears in errors.
type Step string

// The steps.
const (
	Loopback     Step = "bring up the loopback interface"
	Processes    Step = "mount /proc of its own PID namespace"
	Capabilities Step = "drop capabilities"
	Identity     Step = "switch to the unprivileged user"
	Landlock     Step = "apply Landlock"
	Filter       Step = "apply seccomp"
	SecondFilter Step = "apply seccomp for the program"
)

func (c Config) omits(s Step) bool { return slices.Contains(c.Omit, s) }

// Ready is the byte that the launcher sends when the layers are set up.
const Ready = 'b'
