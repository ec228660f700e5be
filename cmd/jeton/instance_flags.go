package main

import (
	"net/netip"
	"time"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// instanceFlags set how instances are started and stopped.
type instanceFlags struct {
	Queue        int           `config:"Scale.Queue" help:"Maximum number of calls that wait for an instance of one function." placeholder:"N"`
	StartTimeout time.Duration `config:"StartTimeout" help:"How long an instance may take to start." placeholder:"DURATION"`
	IdleToOne    time.Duration `config:"Scale.IdleToOne" help:"How long an instance may be idle if the function has others." placeholder:"DURATION"`
	IdleToZero   time.Duration `config:"Scale.IdleToZero" help:"How long the last instance of a function may be idle." placeholder:"DURATION"`
	// Each instance reserves the memory limit of its function. If the limit is reached,
	// new instances wait, and after 10 seconds the callers of a function without any
	// instance get 503. One project can reserve at most four times as much as is left
	// for all others. The default is 80 % of the memory of the machine, or of the
	// server's cgroup.
	InstancesMemory int64 `config:"Scale.Memory" help:"Maximum memory that all instances reserve; 0 for 80 % of the memory." placeholder:"BYTES" example:"13743895347"`
	// At isolation level full, /tmp, the home directory and the directory of the code
	// are on this disk. The disk is a file in the cache directory that grows as data is
	// written and is removed with its instance. Without a disk /tmp is in memory, and
	// everything else is read-only.
	InstanceDisk int64 `config:"InstanceDisk" help:"Size of each instance's disk at isolation level full; 0 for no disk." placeholder:"BYTES"`
	// If less is free, the server ends the instance that uses most, of the project whose
	// instances use most, once per second. Its log says so.
	DiskReserve int64 `config:"DiskReserve" help:"Space that disks of instances leave free; 0 for 5 %, at most 10 GiB." placeholder:"BYTES" example:"10737418240"`
}

// isolationFlags select the sandboxes of instances.
type isolationFlags struct {
	// The levels are full (requires root), user, restricted and none. auto selects full
	// for root, and user otherwise. The server verifies the level when it starts, and
	// does not start if a layer of the level does not work.
	Isolation string `config:"Isolation" help:"Isolation level: full (requires root), user, restricted, none or auto." placeholder:"LEVEL"`
	// The warm pool contains sandboxes that are created before an instance needs them.
	Spare        int   `config:"WarmPool.Min" help:"Minimum number of warm sandboxes of each kind; 0 for none." placeholder:"N"`
	SpareMost    int   `config:"WarmPool.Max" help:"Maximum number of warm sandboxes of each kind under load." placeholder:"N"`
	SpareMemory  int64 `config:"WarmPool.Memory" help:"Maximum memory of all warm sandboxes together." placeholder:"BYTES"`
	SpareWorkers bool  `help:"Start interpreters in some of the warm sandboxes." default:"true" negatable:""`
}

// egressFlags set which networks instances and builds reach.
type egressFlags struct {
	// At isolation level full, open excludes this machine, link-local addresses, cloud
	// metadata services and the mail ports 25 and 465.
	Egress     string         `help:"Networks that instances and builds reach: open or none." enum:"open,none" default:"open" placeholder:"MODE"`
	EgressDeny []netip.Prefix `config:"EgressDeny" help:"Networks that instances and builds do not reach, separated by commas." placeholder:"CIDR" example:"[198.51.100.0/24, 2001:db8::/32]"`
	// Mail relays are reachable at ports 25 and 465. host.jeton.internal is this machine, as
	// instances see it: the service at the port of 127.0.0.1 is reachable for all functions.
	EgressAllow    []relay `help:"Mail relays and services at host.jeton.internal that instances reach." placeholder:"HOST:PORT" example:"[smtp.example.com:25]"`
	EgressResolver string  `config:"EgressResolver" help:"DNS server for instances (default: that of this machine)." placeholder:"HOST:PORT" example:"192.0.2.53:53"`
}

// A relay is a mail relay as a flag: HOST:PORT.
type relay struct{ egress.Relay }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *relay) UnmarshalText(text []byte) (err error) {
	r.Relay, err = egress.ParseRelay(string(text))
	return err
}

// buildFlags limit builds and their caches.
type buildFlags struct {
	// One project may run half of them, and at least one.
	Builds       int           `config:"BuildsAtOnce" help:"Maximum number of concurrent builds." placeholder:"N"`
	BuildTimeout time.Duration `config:"BuildTimeout" help:"Maximum duration of a build." placeholder:"DURATION"`
	BuildDisk    int64         `config:"BuildDisk" help:"Maximum disk space of a build." placeholder:"BYTES"`
	// A build of unchanged code is taken from this cache.
	BuildCache int64 `config:"BuildCache" help:"Maximum size of the cache of build results." placeholder:"BYTES"`
	// These caches contain downloads and compiled packages. What was used least recently
	// is removed first.
	ProjectCacheSize int64  `config:"ProjectCacheSize" help:"Maximum size of the build caches of one project." placeholder:"BYTES"`
	CacheSize        int64  `config:"CacheSize" help:"Maximum size of the build caches of all projects together." placeholder:"BYTES"`
	CacheDir         string `config:"CacheDir" help:"Directory of caches; it may be removed while no server runs." placeholder:"DIR" example:"~/.cache/jeton"`
	// A registry is written as sparse+https://crates.example.com/, a directory as an
	// absolute path to what 'cargo vendor' creates. Builds in Pods require a registry.
	Crates string `config:"Crates" help:"Source of Rust crates, instead of crates.io: a registry or a directory." placeholder:"URL|DIR" example:"sparse+https://crates.example.com/"`
	// Builds are faster. But code that runs while the crates of one function are compiled
	// can change another function: enable this only if all authors of a project trust each other.
	ShareRustBuilds bool `config:"ShareRustBuilds" help:"Share compiled crates among the Rust functions of a project."`
}

// toolchainFlags select the programs that build and run the languages.
type toolchainFlags struct {
	Go     string `help:"Program that builds Go functions (default: go in PATH)." placeholder:"FILE" example:"/usr/local/go/bin/go"`
	Node   string `help:"Program that runs Node functions (default: node in PATH)." placeholder:"FILE" example:"/usr/local/bin/node"`
	Python string `help:"Program that runs Python functions (default: python3 in PATH)." placeholder:"FILE" example:"/usr/bin/python3"`
	PHP    string `name:"php" help:"Program that runs PHP functions (default: php in PATH)." placeholder:"FILE" example:"/usr/bin/php"`
	// cargo must be in the same directory.
	Rust string `help:"Rust compiler for Rust functions (default: rustc in PATH)." placeholder:"FILE" example:"/usr/local/bin/rustc"`
}

// paths returns the program of each language; empty for the one in PATH.
func (f toolchainFlags) paths() map[string]string {
	return map[string]string{
		runtime.Go: f.Go, runtime.Node: f.Node, runtime.Python: f.Python, runtime.PHP: f.PHP, runtime.Rust: f.Rust,
	}
}
