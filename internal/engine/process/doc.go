// Package process is the engine of this machine: its instances are child
// processes. It owns their sockets, working folders, output and end. It does not
// isolate them: an instance runs as the user that the server runs as.
package process
