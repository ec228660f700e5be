//go:build linux

package kubetest

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/jeton-dev/jeton/test/kubernetes/cluster"
)

// Relay accepts connections at an address of the machine, which Pods reach, and passes them on to an
// address that exists only here. It returns its address.
func Relay(t testing.TB, network, address string) string {
	t.Helper()
	listener, err := net.Listen("tcp", cluster.NodeIP+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				go relay(conn, network, address)
			}
		}
	}()
	return listener.Addr().String()
}

func relay(from net.Conn, network, address string) {
	defer from.Close()
	to, err := net.Dial(network, address)
	if err != nil {
		return // The client sees that the connection is closed.
	}
	defer to.Close()
	go func() {
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}()
	_, _ = io.Copy(from, to)
}
