package egress

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// loopback is the index of the loopback interface of every network namespace.
const loopback = 1

// routed tells whether the kernel sends packets for an address to another machine:
// by unicast, over a link other than loopback. It does not for what is routed to
// this machine without being an address of an interface, for broadcast addresses,
// for anycast addresses, of which this machine has those of the subnets that it
// routes, and for what it has no route to.
func routed(a netip.Addr) bool {
	routes, err := netlink.RouteGet(a.AsSlice())
	if err != nil || len(routes) == 0 {
		return false
	}
	for _, r := range routes {
		if r.Type != unix.RTN_UNICAST || r.LinkIndex == loopback {
			return false
		}
	}
	return true
}
