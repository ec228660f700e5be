// Package ops answers operators and their machines on a port of their own:
// whether the process lives, whether it can serve, what it measures, and, when
// asked for, what it is doing. It authenticates nobody: the port is private.
package ops
