// Package process is the engine whose instances are child processes on this
// machine, each in a sandbox of the configured isolation level. It creates their
// sockets and working folders, keeps sandboxes and interpreters warm, and reports
// output and ends. Package sandbox implements the isolation layers, package egress
// the outbound network.
//
// Instances report readiness themselves: see Start.Command.
package process
