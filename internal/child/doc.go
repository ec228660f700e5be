// Package child starts child processes that end when this process does, by
// whatever, with all processes of their groups. It does not know what they are
// for. A process that has left its group, for a session of its own, escapes it.
package child
