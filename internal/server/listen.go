package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pires/go-proxyproto"

	"github.com/jeton-dev/jeton/internal/certificate"
	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/gateway"
)

// adminSocket is the name of the socket for administration.
const adminSocket = "admin.sock"

// listeners are the open ports of a server.
type listeners struct {
	api, gateway, admin net.Listener
	// apiTLS, gatewayTLS and ops are nil if these ports are disabled.
	apiTLS, gatewayTLS, ops net.Listener
	// cluster is nil if no other process can use the database.
	cluster   net.Listener
	endpoints Endpoints
}

func listen(ctx context.Context, config Config, data folder, opened *closers) (*listeners, error) {
	l := new(listeners)
	ports := []struct {
		flag, address string
		listener      *net.Listener
		endpoint      *string
		scheme        string
		optional      bool
	}{
		{"api-listen", config.APIListen, &l.api, &l.endpoints.API, "http", false},
		{"api-tls-listen", config.APITLSListen, &l.apiTLS, &l.endpoints.APITLS, "https", true},
		{"gateway-listen", config.GatewayListen, &l.gateway, &l.endpoints.Gateway, "http", false},
		{"gateway-tls-listen", config.GatewayTLSListen, &l.gatewayTLS, &l.endpoints.GatewayTLS, "https", true},
		{"ops-listen", config.OpsListen, &l.ops, &l.endpoints.Ops, "http", true},
	}
	for _, port := range ports {
		if port.optional && port.address == "" {
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", port.address)
		if err != nil {
			return nil, listenError(port.flag, err)
		}
		opened.add(ignoreClosed{listener})
		*port.listener = listener
		*port.endpoint = port.scheme + "://" + localAddress(listener)
	}
	if config.Database != "" {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", config.ClusterListen)
		if err != nil {
			return nil, listenError("cluster-listen", err)
		}
		opened.add(ignoreClosed{listener})
		l.cluster, l.endpoints.Cluster = listener, localAddress(listener)
	}
	var err error
	l.admin, l.endpoints.Admin, err = listenAdmin(ctx, data, opened)
	return l, err
}

// listenError returns the error of a listener, with the flag that sets its address.
func listenError(flag string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: stop the other program, or set --%s", err, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 require root or CAP_NET_BIND_SERVICE: set --%s", err, flag)
	}
	return fmt.Errorf("%w: set --%s", err, flag)
}

// localAddress returns the address of a listener for clients on this machine.
func localAddress(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return l.Addr().String()
}

// listenAdmin listens on the Unix socket for administration. The socket is in the
// data folder or, if the path would be too long, in a folder of its own. Only the
// owner can access either folder.
func listenAdmin(ctx context.Context, data folder, opened *closers) (_ net.Listener, path string, err error) {
	path = data.path(adminSocket)
	if len(path) > engine.MaxSocketPath {
		dir, err := os.MkdirTemp("", "jeton-admin-")
		if err != nil {
			return nil, "", fmt.Errorf("folder of the admin socket: %w", err)
		}
		opened.addFunc(func() error { return os.RemoveAll(dir) })
		path = filepath.Join(dir, adminSocket)
	}
	// This server has locked the folder, so an existing socket is a leftover.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", fmt.Errorf("admin socket: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, "", fmt.Errorf("admin socket: %w", err)
	}
	opened.add(ignoreClosed{listener})
	return listener, path, os.Chmod(path, 0o600)
}

// ignoreClosed closes a listener that its HTTP server may have closed already.
type ignoreClosed struct{ net.Listener }

// Close implements io.Closer.
func (c ignoreClosed) Close() error {
	if err := c.Listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// gatewayListeners returns the gateway's ports with connection limits, the PROXY
// protocol if it is enabled, TLS, and the check of HTTP framing.
func (b *base) gatewayListeners(certificates certificates) []net.Listener {
	plain := b.traffic.connections.Listener(b.listeners.gateway, !b.config.ProxyProtocol)
	all := []net.Listener{gateway.Strict(b.config.proxied(plain), b.traffic.heads)}
	if b.listeners.gatewayTLS != nil {
		encrypted := terminateTLS(b.config.proxied(b.traffic.connections.Listener(b.listeners.gatewayTLS, false)), certificates)
		all = append(all, gateway.Strict(encrypted, b.traffic.heads))
	}
	return all
}

// proxied returns a listener that reads the header of the PROXY protocol, if that
// is enabled.
func (c Config) proxied(l net.Listener) net.Listener {
	if !c.ProxyProtocol {
		return l
	}
	return &proxyproto.Listener{Listener: l, ConnPolicy: c.proxyPolicy, ReadHeaderTimeout: headerTimeout}
}

// proxyPolicy requires the PROXY header from trusted proxies. From other clients the
// header is invalid HTTP and is refused as such.
func (c Config) proxyPolicy(options proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
	peer, err := netip.ParseAddrPort(options.Upstream.String())
	if err == nil && c.TrustedProxies.Contains(peer.Addr()) {
		return proxyproto.REQUIRE, nil
	}
	return proxyproto.SKIP, nil
}

// terminateTLS returns a listener that decrypts connections and offers HTTP/2.
func terminateTLS(l net.Listener, certificates certificates) net.Listener {
	return tls.NewListener(l, &tls.Config{
		GetCertificate: certificates.GetCertificate,
		NextProtos:     []string{"h2", "http/1.1", certificate.Protocol},
		MinVersion:     tls.VersionTLS12,
	})
}
