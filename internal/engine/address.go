package engine

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strings"
)

// MaxSocketPath is the longest path of a unix socket on all systems that Jeton
// runs on, in bytes: macOS allows 103, Linux 107.
const MaxSocketPath = 103

const (
	unixPrefix     = "unix:"
	tcpPrefix      = "tcp:"
	instancePrefix = InstanceNetwork + ":"
	// longestInstance is the length of the longest ID in an address, in bytes.
	longestInstance = 63
)

// InstanceNetwork is the network of addresses that only the engine can dial: it implements
// Dialer.
const InstanceNetwork = "instance"

// A Dialer opens connections to the addresses of InstanceNetwork. An engine implements it if
// its instances must prove who they are before they receive a call. It is safe for concurrent
// use.
type Dialer interface {
	// Dial returns a connection to the instance at an address. A connection with TLS is a
	// *tls.Conn. Returns an error if the instance is gone.
	Dial(ctx context.Context, address Address) (net.Conn, error)
}

// An Address is where an instance serves: a unix socket of this machine
// ("unix:/run/i1.sock"), a TCP port ("tcp:10.0.0.7:8080", "tcp:[fd00::7]:8080"), or an
// instance that the engine connects to ("instance:i1").
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
	if id, ok := strings.CutPrefix(text, instancePrefix); ok {
		return parseInstance(id)
	}
	return Address{}, fmt.Errorf("parse address %.150q: want unix:/path, tcp:ip:port or instance:id", text)
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

func parseInstance(id string) (Address, error) {
	isOther := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	if id == "" || len(id) > longestInstance || strings.ContainsFunc(id, isOther) {
		return Address{}, fmt.Errorf("parse address %.150q: want an ID of 1 to %d letters, digits and hyphens", instancePrefix+id, longestInstance)
	}
	return Address{instancePrefix + id}, nil
}

// IsZero reports whether the address is the zero value.
func (a Address) IsZero() bool { return a.text == "" }

// Network returns the name of the network: "unix" or "tcp" for package net,
// InstanceNetwork for a Dialer, or "" for the zero value.
func (a Address) Network() string {
	network, _, _ := strings.Cut(a.text, ":")
	return network
}

// Endpoint returns the address within its network, as package net dials it: the
// path of a socket, or "ip:port". For InstanceNetwork it is the ID of the instance.
func (a Address) Endpoint() string {
	_, endpoint, _ := strings.Cut(a.text, ":")
	return endpoint
}

// String returns the text that ParseAddress accepts; "" for the zero value.
func (a Address) String() string { return a.text }
