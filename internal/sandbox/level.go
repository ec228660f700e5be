package sandbox

import (
	"fmt"
	"strings"
)

// A Level selects the isolation layers around a process. The operator chooses it, and
// it is tested before use. No level falls back to another.
type Level int

// The levels, from the weakest to the strongest.
const (
	// None has no isolation layers: an ordinary process of the server's user.
	None Level = iota
	// Restricted has Landlock, seccomp and resource limits of the process, but no
	// namespaces. It suits a single tenant.
	Restricted
	// User has namespaces, a root folder of its own, Landlock, seccomp and resource
	// limits of the process, but no cgroups. It needs no privileges.
	User
	// Full adds cgroups and separate user ids to User. It needs root.
	Full
)

// A description contains what users read about a level.
type description struct{ name, gives, lacks string }

var descriptions = []description{
	None: {
		"none", "nothing",
		"instances can read the server's files and memory and those of other instances, reach every network, and use all memory, CPU and disk",
	},
	Restricted: {
		"restricted", "no_new_privs, Landlock, a seccomp allow-list, resource limits of the process",
		"instances see the processes and file names of the machine, have no network, cannot open sockets with a path, " +
			"and can leave processes behind; limits of memory, CPU, processes and disk are not enforced",
	},
	User: {
		"user", "user, mount, PID, IPC, UTS and network namespaces, a root folder of their own, no capabilities, no_new_privs, " +
			"Landlock, a seccomp allow-list, resource limits of the process",
		"limits of memory and CPU are not enforced, and instances have the server's user id outside of their namespaces",
	},
	Full: {
		"full", "all of level user, cgroups for memory, CPU and processes, and a user id for each instance",
		"",
	},
}

// String returns the level's name, as in flags.
func (l Level) String() string {
	if l < None || int(l) >= len(descriptions) {
		return fmt.Sprintf("Level(%d)", int(l))
	}
	return descriptions[l].name
}

// Gives describes the isolation layers of the level.
func (l Level) Gives() string { return descriptions[l].gives }

// Lacks describes what the level lacks compared with Full; it is empty for Full.
func (l Level) Lacks() string { return descriptions[l].lacks }

// ParseLevel returns the level with a name.
func ParseLevel(name string) (Level, error) {
	var names []string
	for level, d := range descriptions {
		if d.name == name {
			return Level(level), nil
		}
		names = append(names, d.name)
	}
	return None, fmt.Errorf("unknown isolation level %q: want one of %s", name, strings.Join(names, ", "))
}

// namespaced reports whether processes of the level run in their own namespaces.
func (l Level) namespaced() bool { return l >= User }
