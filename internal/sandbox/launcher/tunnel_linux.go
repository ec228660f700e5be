package launcher

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TunnelDevice makes network interfaces.
const TunnelDevice = "/dev/net/tun"

// makeInterface makes the interface in the network namespace of this process, and returns its
// file descriptor. It uses system calls, since packages for the purpose would delay the start of
// every sandbox.
func makeInterface(t Tunnel) (int, error) {
	fd, err := unix.Open(TunnelDevice, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", TunnelDevice, err)
	}
	request, err := unix.NewIfreq(t.Name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil {
		err = configureInterface(t)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// configureInterface sets the address, brings the interface up, and adds the default route.
func configureInterface(t Tunnel) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	if err := setAddress(socket, t.Name, unix.SIOCSIFADDR, t.Address); err != nil {
		return err
	}
	if err := setAddress(socket, t.Name, unix.SIOCSIFNETMASK, t.Mask); err != nil {
		return err
	}
	request, err := unix.NewIfreq(t.Name)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bring up: %w", err)
	}
	return addDefaultRoute(socket, t.Gateway)
}

func setAddress(socket int, name string, operation uint, address [4]byte) error {
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = request.SetInet4Addr(address[:])
	}
	if err == nil {
		err = unix.IoctlIfreq(socket, operation, request)
	}
	if err != nil {
		return fmt.Errorf("set address: %w", err)
	}
	return nil
}

// route is the kernel's struct rtentry.
type route struct {
	_                          uint
	destination, gateway, mask unix.RawSockaddrInet4
	flags                      uint16
	_                          int16
	_                          uint
	_                          uintptr
	metric                     int16
	device                     uintptr
	mtu, window                uint
	irtt                       uint16
}

func addDefaultRoute(socket int, gateway [4]byte) error {
	r := route{
		destination: unix.RawSockaddrInet4{Family: unix.AF_INET},
		gateway:     unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: gateway},
		mask:        unix.RawSockaddrInet4{Family: unix.AF_INET},
		flags:       unix.RTF_UP | unix.RTF_GATEWAY,
	}
	//nolint:gosec // The kernel copies the structure during the call.
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCADDRT, uintptr(unsafe.Pointer(&r)))
	if errno != 0 {
		return fmt.Errorf("add default route: %w", errno)
	}
	return nil
}
