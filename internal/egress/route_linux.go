package egress

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// loopback is the index of the loopback interface of every network namespace.
const loopback = 1

// routed reports whether the kernel sends packets for an address to another machine: by
// unicast, over a link other than loopback. It returns false for addresses that are
// routed to this machine, broadcast and anycast addresses (this machine has an anycast
// address in each subnet that it routes), and addresses without a route.
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
