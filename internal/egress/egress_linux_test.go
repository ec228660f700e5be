package egress_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/jeton-dev/jeton/internal/egress"
	"github.com/jeton-dev/jeton/test/needs"
)

// machineVariable is set in the process that runs the tests: it has its own network
// namespace, in which it acts as the machine.
const machineVariable = "EGRESS_TEST_MACHINE"

func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-test.fuzzworker") {
		os.Exit(m.Run()) // It is in the network namespace of its parent process.
	}
	if os.Getenv(machineVariable) != "" {
		if err := connect(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	if ok, code := needs.RootForAll("all tests of internal/egress", "makes network namespaces"); !ok {
		os.Exit(code)
	}
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Env = append(os.Environ(), machineVariable+"=1")
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := c.Run(); err != nil {
		os.Exit(1)
	}
}

// connect gives this machine default routes over a link whose peer answers nothing.
func connect() error {
	wan := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wan"}, PeerName: "nowhere"}
	if err := netlink.LinkAdd(wan); err != nil {
		return fmt.Errorf("make a link: %w", err)
	}
	for name, prefixes := range map[string][]string{"lo": {""}, "nowhere": {""}, "wan": {"203.0.114.2/24", "2001:db8:1::2/64"}} {
		for _, prefix := range prefixes {
			if err := up(name, prefix); err != nil {
				return fmt.Errorf("bring up %s with %s: %w", name, prefix, err)
			}
		}
	}
	for _, route := range []struct{ to, gateway string }{{"0.0.0.0/0", "203.0.114.1"}, {"::/0", "2001:db8:1::1"}} {
		_, to, err := net.ParseCIDR(route.to)
		if err == nil {
			err = netlink.RouteAdd(&netlink.Route{LinkIndex: wan.Attrs().Index, Dst: to, Gw: net.ParseIP(route.gateway)})
		}
		if err != nil {
			return fmt.Errorf("route %s: %w", route.to, err)
		}
	}
	return nil
}

const (
	machine = "192.0.2.1"
	other   = "192.0.2.2"
)

// in runs a function in a network namespace; with nil, in a new one.
func in(t *testing.T, namespace *os.File, do func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // The thread ends with the goroutine.
		var err error
		if namespace == nil {
			err = unix.Unshare(unix.CLONE_NEWNET)
		} else {
			err = unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func newNamespace(t *testing.T) *os.File {
	t.Helper()
	var file *os.File
	in(t, nil, func() (err error) {
		file, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
		return err
	})
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// up adds an address, if it is not empty, to an interface of this thread's namespace, and
// brings the interface up.
func up(name, prefix string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if prefix != "" {
		address, err := netlink.ParseAddr(prefix)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, address); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}

// addMachine connects another machine to this one, and returns its network namespace.
func addMachine(t *testing.T) *os.File {
	t.Helper()
	namespace := newNamespace(t)
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "here"}, PeerName: "there", PeerNamespace: netlink.NsFd(namespace.Fd())}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	if err := up("lo", ""); err != nil {
		t.Fatal(err)
	}
	if err := up("here", machine+"/24"); err != nil {
		t.Fatal(err)
	}
	in(t, namespace, func() error { return up("there", other+"/24") })
	return namespace
}

// echoTCP starts an echo server at an address of this thread's namespace; echoUDP does
// the same for UDP.
func echoTCP(t *testing.T, address string) error {
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	return nil
}

func echoUDP(t *testing.T, address string) error {
	l, err := net.ListenPacket("udp4", address)
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		datagram := make([]byte, 1<<16)
		for {
			n, from, err := l.ReadFrom(datagram)
			if err != nil {
				return
			}
			_, _ = l.WriteTo(datagram[:n], from)
		}
	}()
	return nil
}

// echoed sends a text to an address, and returns the answer.
func echoed(network, address, text string) (string, error) {
	conn, err := net.DialTimeout(network, address, 3*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(3 * time.Second))
	go func() {
		_, _ = io.WriteString(conn, text)
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}()
	if network == "tcp" {
		all, err := io.ReadAll(conn)
		return string(all), err
	}
	datagram := make([]byte, 1<<16)
	n, err := conn.Read(datagram)
	return string(datagram[:n]), err
}

// TestLink_ReachesOnlyAllowedAddresses connects from a namespace to another machine, to
// this machine, and to denied addresses.
func TestLink_ReachesOnlyAllowedAddresses(t *testing.T) {
	peer := addMachine(t)
	in(t, peer, func() error {
		for _, address := range []string{other + ":80", other + ":25", other + ":465"} {
			if err := echoTCP(t, address); err != nil {
				return err
			}
		}
		return echoUDP(t, other+":53")
	})
	for _, address := range []string{machine + ":80", "127.0.0.1:80", machine + ":53"} {
		if err := echoTCP(t, address); err != nil {
			t.Fatal(err)
		}
	}
	if err := echoUDP(t, machine+":53"); err != nil {
		t.Fatal(err)
	}
	inside := newNamespace(t)
	link, err := egress.Attach(namespace{inside}, &egress.Policy{
		Deny: []netip.Prefix{netip.MustParsePrefix("192.0.2.64/26")}, Resolver: other + ":53", Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = link.Close() }()
	long := strings.Repeat("long text ", 200_000)
	tests := map[string]struct {
		network, address, text string
		reached                bool
	}{
		"another machine":              {"tcp", other + ":80", "hello", true},
		"another machine, 2 MB":        {"tcp", other + ":80", long, true},
		"another machine by UDP":       {"udp", other + ":53", "hello", true},
		"its resolver":                 {"udp", egress.ResolverAddress + ":53", "question", true},
		"mail":                         {"tcp", other + ":25", "HELO", false},
		"mail over TLS":                {"tcp", other + ":465", "HELO", false},
		"a closed port":                {"tcp", other + ":81", "hello", false},
		"a network that is denied":     {"tcp", "192.0.2.65:80", "hello", false},
		"this machine":                 {"tcp", machine + ":80", "hello", false},
		"this machine by UDP":          {"udp", machine + ":53", "hello", false},
		"its own gateway":              {"tcp", "10.0.2.2:80", "hello", false},
		"another port of the resolver": {"tcp", egress.ResolverAddress + ":80", "hello", false},
		"the metadata service":         {"tcp", "169.254.169.254:80", "hello", false},
		"this machine, by IPv6":        {"tcp", "[::ffff:192.0.2.1]:80", "hello", false},
		"this machine, through NAT64":  {"tcp", "[64:ff9b::c000:201]:80", "hello", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in(t, inside, func() error {
				got, err := echoed(test.network, test.address, test.text)
				if reached := got == test.text; reached != test.reached {
					return fmt.Errorf("%s %s: got %d bytes and %w, want reached = %v", test.network, test.address, len(got), err, test.reached)
				}
				return nil
			})
		})
	}
	in(t, inside, func() error {
		// 127.0.0.1 is the loopback of the namespace, not of the machine.
		if got, err := echoed("tcp", "127.0.0.1:80", "hello"); err == nil {
			return fmt.Errorf("got %q from the machine's loopback, want an error", got)
		}
		return nil
	})
}

func TestClose_EndsOutboundAccess(t *testing.T) {
	inside := newNamespace(t)
	link, err := egress.Attach(namespace{inside}, &egress.Policy{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := link.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	in(t, inside, func() error {
		if _, err := echoed("tcp", other+":80", "x"); err == nil {
			return errors.New("connected after Close, want an error")
		}
		return nil
	})
}

func TestPolicy_DeniesSpecialAddressesAndMailPorts(t *testing.T) {
	t.Parallel()
	p := &egress.Policy{Now: time.Now, Deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, Relays: []egress.Relay{
		{Host: "198.51.100.25", Port: 25}, {Host: "169.254.169.254", Port: 25}, {Host: "localhost", Port: 25},
	}}
	tests := map[string]bool{
		"198.51.100.1:443":         true,
		"10.1.2.3:443":             true,
		"[2001:db8::1]:443":        true,
		"198.51.100.1:25":          false,
		"[2001:db8::1]:465":        false,
		"203.0.113.9:443":          false,
		"127.0.0.1:80":             false,
		"127.9.9.9:80":             false,
		"0.0.0.0:80":               false,
		"0.1.2.3:80":               false,
		"[::]:80":                  false,
		"[::1]:80":                 false,
		"[::127.0.0.1]:80":         false,
		"[::ffff:127.0.0.1]:80":    false,
		"169.254.169.254:80":       false,
		"[fe80::1]:80":             false,
		"224.0.0.1:80":             false,
		"[ff02::1]:80":             false,
		"255.255.255.255:80":       false,
		"[2002:7f00:1::]:80":       false,
		"[64:ff9b::7f00:1]:80":     false,
		"[64:ff9b:1::7f00:1]:80":   false,
		"[fd00:42::42]:80":         false,
		"[fd00:ec2::254]:80":       false,
		"168.63.129.16:80":         false,
		"[2001:0:4136:e378::1]:80": false,
		"100.100.100.200:80":       false,
		"[fd20:ce::254]:80":        false,
		"[fd00:ec2::23]:80":        false,
		"192.0.0.192:80":           false,
		"198.51.100.25:25":         true,
		"198.51.100.25:465":        false,
		"169.254.169.254:25":       false,
	}
	for text, want := range tests {
		if got := p.Allows(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("Allows(%s) = %v, want %v", text, got, want)
		}
	}
}

// TestPolicy_DeniesAddressesRoutedToThisMachine adds routes to this machine for addresses
// that no interface has.
func TestPolicy_DeniesAddressesRoutedToThisMachine(t *testing.T) {
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/all/forwarding", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	for _, route := range []netlink.Route{
		{Dst: prefix(t, "198.18.0.0/24"), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, LinkIndex: 1, Scope: netlink.SCOPE_HOST},
		{Dst: prefix(t, "2001:db8:2::/64"), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, LinkIndex: 1},
		{Dst: prefix(t, "198.18.1.0/24"), LinkIndex: 1, Scope: netlink.SCOPE_LINK},
		{Dst: prefix(t, "198.18.2.0/24"), Type: unix.RTN_BLACKHOLE},
	} {
		if err := netlink.RouteAdd(&route); err != nil {
			t.Fatalf("route %v: %v", route.Dst, err)
		}
	}
	p := &egress.Policy{Now: time.Now}
	for text, want := range map[string]bool{
		"198.18.3.1:80":         true,
		"[2001:db8:3::1]:80":    true,
		"203.0.114.1:80":        true,
		"198.18.0.9:80":         false,
		"[2001:db8:2::9]:80":    false,
		"198.18.1.9:80":         false,
		"198.18.2.9:80":         false,
		"203.0.114.255:53":      false,
		"[2001:db8:1::]:80":     false,
		"[2001:db8:1::1]:80":    true,
		"[::ffff:198.18.0.9]:1": false,
	} {
		if got := p.Allows(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("Allows(%s) = %v, want %v", text, got, want)
		}
	}
}

func prefix(t *testing.T, text string) *net.IPNet {
	t.Helper()
	_, network, err := net.ParseCIDR(text)
	if err != nil {
		t.Fatal(err)
	}
	return network
}

// TestLink_BoundsMemoryForPeersThatDoNotRead sends over many connections from one
// namespace to a machine that reads nothing.
func TestLink_BoundsMemoryForPeersThatDoNotRead(t *testing.T) {
	peer := newNamespace(t)
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "sink"}, PeerName: "peer", PeerNamespace: netlink.NsFd(peer.Fd())}
	if err := netlink.LinkAdd(veth); err != nil {
		t.Fatal(err)
	}
	if err := up("sink", "198.51.101.1/24"); err != nil {
		t.Fatal(err)
	}
	var accepted []net.Conn
	in(t, peer, func() error {
		if err := up("peer", "198.51.101.2/24"); err != nil {
			return err
		}
		l, err := net.Listen("tcp4", "198.51.101.2:80")
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				accepted = append(accepted, conn) // Nothing reads from it.
			}
		}()
		return nil
	})
	inside := newNamespace(t)
	link, err := egress.Attach(namespace{inside}, &egress.Policy{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = link.Close() }()
	const connections, limit = 500, 64 << 20
	data := make([]byte, 8<<20)
	before, used := memory(), int64(0)
	in(t, inside, func() error {
		for range connections {
			conn, err := net.DialTimeout("tcp4", "198.51.101.2:80", 10*time.Second)
			if err != nil {
				return err
			}
			defer conn.Close()
			if err := conn.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
				return err
			}
			_, _ = conn.Write(data) // It blocks until the deadline when the buffers are full.
		}
		used = memory() - before
		return nil
	})
	t.Logf("%d connections use %d MiB", connections, used>>20)
	if used > limit {
		t.Errorf("got %d MiB for %d connections, want %d at most", used>>20, connections, limit>>20)
	}
}

// memory returns the size of this process's heap and stacks, in bytes.
func memory() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

// FuzzPolicy checks that no address of the loopback or the link is allowed.
func FuzzPolicy(f *testing.F) {
	p := &egress.Policy{Now: time.Now}
	f.Add([]byte{127, 0, 0, 1}, uint16(80))
	f.Add(bytes.Repeat([]byte{0}, 16), uint16(25))
	f.Fuzz(func(t *testing.T, raw []byte, port uint16) {
		a, ok := netip.AddrFromSlice(raw)
		if ok && p.Allows(netip.AddrPortFrom(a, port)) && (a.Unmap().IsLoopback() || a.Unmap().IsLinkLocalUnicast() || port == 25) {
			t.Errorf("Allows(%v) = true, want false", netip.AddrPortFrom(a, port))
		}
	})
}

// namespace is a network namespace without an interface.
type namespace struct{ file *os.File }

func (n namespace) Network() *os.File { return n.file }
func (namespace) Tunnel() *os.File    { return nil }
