// Package process is the engine of this machine: its instances are child
// processes, within the walls of the level of isolation that it was told, some
// prepared ahead of need. It owns their sockets, working folders, output and end. How
// walls are built is sandbox's to know, and how packets leave them egress's.
package process
