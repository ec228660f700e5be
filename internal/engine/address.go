package engine

import (
	"fmt"
	"net/netip"
	"path"
	"strings"
)

// MaxSocketPath is the longest path of a unix socket on all systems that Jeton
// runs on, in bytes: macOS allows 103, Linux 107.
const MaxSocketPath = 103

const (
	unixPrefix = "unix:"
	tcpPrefix  = "tcp:"
)

// An Address is where an instance serves: a unix socket of this machine
// ("unix:/run/i1.sock") or a TCP port ("tcp:10.0.0.7:8080", "tcp:[fd00::7]:8080").
// The zero value is no address. Addresses are comparable; equal addresses have
// the same text.
type Address struct{ text string }

// ParseAddress returns the address of a text. The path of a unix socket must be
// absolute, clean and at most MaxSocketPath bytes. The host of a TCP address must
// be the IP address of one host, without a zone.
func ParseAddress(text string) (Address, error) {
	if socket, ok := strings.CutPrefix(text, unixPrefix); ok {
		return parseUnix(socket)
	}
	if endpoint, ok := strings.CutPrefix(text, tcpPrefix); ok {
		return parseTCP(endpoint)
	}
	return Address{}, fmt.Errorf("parse address %.150q: want unix:/path or tcp:ip:port", text)
}

// MustParseAddress is ParseAddress for texts that are known to be valid. It
// panics otherwise.
func MustParseAddress(text string) Address {
	a, err := ParseAddress(text)
	if err != nil {
		panic(err)
	}
	return a
}

func parseUnix(socket string) (Address, error) {
	switch {
	case !path.IsAbs(socket) || path.Clean(socket) != socket || socket == "/" || strings.ContainsRune(socket, 0):
		return Address{}, fmt.Errorf("parse address %.150q: want the absolute and clean path of a socket", unixPrefix+socket)
	case len(socket) > MaxSocketPath:
		return Address{}, fmt.Errorf("parse address %.150q: path has %d bytes, want at most %d", unixPrefix+socket, len(socket), MaxSocketPath)
	}
	return Address{unixPrefix + socket}, nil
}

func parseTCP(endpoint string) (Address, error) {
	port, err := netip.ParseAddrPort(endpoint)
	if err != nil {
		return Address{}, fmt.Errorf("parse address %.150q: want tcp:ip:port", tcpPrefix+endpoint)
	}
	ip := port.Addr().Unmap()
	if ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" || port.Port() == 0 {
		return Address{}, fmt.Errorf("parse address %.150q: want the IP address of one host, without a zone, and a port", tcpPrefix+endpoint)
	}
	return Address{tcpPrefix + netip.AddrPortFrom(ip, port.Port()).String()}, nil
}

// IsZero reports whether the address is the zero value.
func (a Address) IsZero() bool { return a.text == "" }

// Network returns the name of the network for package net: "unix", "tcp", or ""
// for the zero value.
func (a Address) Network() string {
	network, _, _ := strings.Cut(a.text, ":")
	return network
}

// Endpoint returns the address within its network, as package net dials it: the
// path of a socket, or "ip:port".
func (a Address) Endpoint() string {
	_, endpoint, _ := strings.Cut(a.text, ":")
	return endpoint
}

// String returns the text that ParseAddress accepts; "" for the zero value.
func (a Address) String() string { return a.text }
