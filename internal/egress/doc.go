// Package egress gives the processes of a network namespace outbound network access. It
// reads their packets from a network interface in the namespace, and makes their
// connections from this process if its Policy allows them. It changes no address, route
// or firewall rule of the machine, and accepts no inbound connections.
package egress
