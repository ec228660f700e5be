package egress

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

const (
	interfaceName = "eth0"
	mtu           = 1500
)

// All network namespaces have the same addresses, since they are not connected to each
// other.
const (
	ownAddress4  = "10.0.2.15"
	ownPrefix4   = ownAddress4 + "/24"
	gateway4     = "10.0.2.2"
	ownPrefix6   = "fd6a:6574:6f6e::15/64"
	gateway6     = "fd6a:6574:6f6e::2"
	resolver4    = "10.0.2.3"
	host4        = "10.0.2.4"
	dnsPort      = 53
	anywhere4    = "0.0.0.0/0"
	anywhere6    = "::/0"
	tunnelDevice = "/dev/net/tun"
)

// ResolverAddress is the address of the DNS server in a namespace.
const ResolverAddress = resolver4

// HostAddress is the address of this machine's services in a namespace.
const HostAddress = host4

// OwnInterface returns the name, the IPv4 address with its prefix, and the gateway that an
// interface must have which Attach does not make.
func OwnInterface() (name, address, gateway string) { return interfaceName, ownPrefix4, gateway4 }

// openInterface makes the interface in a network namespace, and returns its TUN file:
// reads return the packets that the namespace sends. The calling thread does not change
// its namespace.
func openInterface(namespace *os.File) (*os.File, error) {
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			done <- opened{err: err}
			return
		}
		defer home.Close()
		file, err := openTunnel(namespace)
		done <- opened{file, err}
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		// A thread that could not return to its namespace ends with the goroutine.
	}()
	o := <-done
	if o.err != nil {
		return nil, o.err
	}
	if err := configure(namespace); err != nil {
		_ = o.file.Close()
		return nil, err
	}
	return o.file, nil
}

func openTunnel(namespace *os.File) (*os.File, error) {
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter network namespace: %w", err)
	}
	fd, err := unix.Open(tunnelDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", tunnelDevice, err)
	}
	request, err := unix.NewIfreq(interfaceName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make interface: %w", err)
	}
	return os.NewFile(uintptr(fd), interfaceName), nil
}

// configure sets the addresses of the interface, and the default routes to it.
func configure(namespace *os.File) error {
	h, err := netlink.NewHandleAt(netns.NsHandle(namespace.Fd()))
	if err != nil {
		return fmt.Errorf("configure interface: %w", err)
	}
	defer h.Close()
	link, err := h.LinkByName(interfaceName)
	if err != nil {
		return fmt.Errorf("configure interface: %w", err)
	}
	for _, prefix := range []string{ownPrefix4, ownPrefix6} {
		address, err := netlink.ParseAddr(prefix)
		if err == nil {
			// No other host on the link can have the address: detection only takes time.
			address.Flags = unix.IFA_F_NODAD
			err = h.AddrAdd(link, address)
		}
		if err != nil && !noIPv6(prefix, err) {
			return fmt.Errorf("add address %s: %w", prefix, err)
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up interface: %w", err)
	}
	for destination, gateway := range map[string]string{anywhere4: gateway4, anywhere6: gateway6} {
		_, to, err := net.ParseCIDR(destination)
		if err == nil {
			err = h.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Gw: net.ParseIP(gateway)})
		}
		if err != nil && !noIPv6(destination, err) {
			return fmt.Errorf("add route %s: %w", destination, err)
		}
	}
	return nil
}

// noIPv6 reports whether an error for an IPv6 prefix only means that the machine has no
// IPv6, or that it is disabled.
func noIPv6(prefix string, err error) bool {
	ip, _, parseErr := net.ParseCIDR(prefix)
	if parseErr != nil || ip.To4() != nil {
		return false
	}
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}
