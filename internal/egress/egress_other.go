//go:build !linux

package egress

import (
	"errors"
	"net/netip"
	"os"
)

const dnsPort = 53

// ResolverAddress is empty: this system has no network namespaces.
const ResolverAddress = ""

// HostAddress is empty, like ResolverAddress.
const HostAddress = ""

// OwnInterface returns nothing.
func OwnInterface() (name, address, gateway string) { return "", "", "" }

// A Sandbox is a network namespace.
type Sandbox interface {
	Network() *os.File
	Tunnel() *os.File
}

// A Link cannot be made on this system.
type Link struct{}

// Attach returns an error.
func Attach(Sandbox, *Policy) (*Link, error) {
	return nil, errors.New("attach egress: only Linux has network namespaces")
}

// Assign does nothing.
func (*Link) Assign(string, string) {}

// routed returns true: the route of an address is unknown.
func routed(netip.Addr) bool { return true }

// Close does nothing.
func (*Link) Close() error { return nil }
