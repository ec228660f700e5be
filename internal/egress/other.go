//go:build !linux

package egress

import (
	"errors"
	"net/netip"
	"os"
)

const dnsPort = 53

// ResolverAddress is empty: processes have no network of their own here.
const ResolverAddress = ""

// A Link is never made on this system.
type Link struct{}

// Attach returns an error.
func Attach(*os.File, *Policy) (*Link, error) {
	return nil, errors.New("there are network namespaces on Linux only")
}

// Assign does nothing.
func (*Link) Assign(string, string) {}

// routed returns true: whether an address is another machine's is not known.
func routed(netip.Addr) bool { return true }

// Close does nothing.
func (*Link) Close() error { return nil }
