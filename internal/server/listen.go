package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

func (s *Server) listen(ctx context.Context) error {
	ports := []struct {
		name, address string
		listener      *net.Listener
		endpoint      *string
		scheme        string
	}{
		{"api", s.config.APIListen, &s.listeners.api, &s.endpoints.API, "http"},
		{"gateway", s.config.GatewayListen, &s.listeners.gateway, &s.endpoints.Gateway, "http"},
		{"gateway with TLS", s.config.GatewayTLSListen, &s.listeners.gatewayTLS, &s.endpoints.GatewayTLS, "https"},
		{"ops", s.config.OpsListen, &s.listeners.ops, &s.endpoints.Ops, "http"},
	}
	var config net.ListenConfig
	for i, port := range ports {
		// The first two cannot be turned off.
		if port.address == "" && i > 1 {
			continue
		}
		listener, err := config.Listen(ctx, "tcp", port.address)
		if err != nil {
			return fmt.Errorf("%s: %w", port.name, err)
		}
		s.opens(ignoreClosed{listener})
		*port.listener = listener
		*port.endpoint = port.scheme + "://" + address(listener)
	}
	return nil
}

// address is how a client on this machine reaches a listener.
func address(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return l.Addr().String()
}

// announce writes down where the server is reached. It is the last step: who
// finds the file finds a server that answers.
func (s *Server) announce(context.Context) error {
	encoded, err := json.Marshal(s.endpoints)
	if err != nil {
		return err
	}
	path := s.path(EndpointsFile)
	if err := renameio.WriteFile(path, encoded, 0o600, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return err
	}
	s.opens(closer(func() error { return os.Remove(path) }))
	return nil
}
