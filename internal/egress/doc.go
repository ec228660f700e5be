// Package egress is the way out for processes that have a network namespace of
// their own: it reads what they send from a network interface there, and makes
// their connections from this process, as far as its policy lets it. Nothing on
// the machine is changed for it: no address, no route, no rule of a firewall. It
// does not know who the processes are, and lets nobody in.
package egress
