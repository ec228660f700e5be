package sandbox

import (
	"fmt"
	"strings"
)

// A Level says how strong the walls around a process are. Each level is chosen,
// and tested before it is used; none is a fallback of another one.
type Level int

// The levels, from none to all.
const (
	// None has no walls: a process of the server's user like any other.
	None Level = iota
	// Restricted has Landlock, seccomp and limits of the process, and no
	// namespaces: one tenant.
	Restricted
	// User has namespaces, its own root folder, Landlock, seccomp and limits of
	// the process. It needs no privileges, and has no cgroups.
	User
	// Full is User with cgroups, and a user id for each process. It needs root.
	Full
)

// A description is what users read about a level.
type description struct{ name, gives, lacks string }

var descriptions = []description{
	None: {
		"none", "nothing",
		"instances read the server's files, its memory and each other's, reach every network and take what they want",
	},
	Restricted: {
		"restricted", "no_new_privs, Landlock, a seccomp allow-list, limits of the process",
		"instances see the processes of the machine and the names of its files, have no network and open no sockets with a path, " +
			"can leave processes behind, and memory, CPU, processes and disk are not enforced",
	},
	User: {
		"user", "user, mount, PID, IPC, UTS and network namespaces, a root folder of their own, no capabilities, no_new_privs, " +
			"Landlock, a seccomp allow-list, limits of the process",
		"memory and CPU are not enforced, instances share the server's user id outside of their namespaces, and have no network",
	},
	Full: {
		"full", "all of level user, cgroups for memory, CPU and processes, and a user id for each instance",
		"",
	},
}

// String returns the level's name, as flags have it.
func (l Level) String() string {
	if l < None || int(l) >= len(descriptions) {
		return fmt.Sprintf("Level(%d)", int(l))
	}
	return descriptions[l].name
}

// Gives says in words what stands around a process of the level.
func (l Level) Gives() string { return descriptions[l].gives }

// Lacks says in words what a level gives up beside the highest; it is empty for
// that one.
func (l Level) Lacks() string { return descriptions[l].lacks }

// ParseLevel returns the level of a name.
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

// namespaced tells whether processes of the level live in namespaces.
func (l Level) namespaced() bool { return l >= User }
