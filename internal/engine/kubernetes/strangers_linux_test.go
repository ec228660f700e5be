package kubernetes_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/wire"
)

// strangers returns ways to connect to an agent as another process than its node. Each returns nil if
// the agent sends anything or keeps the connection.
func strangers(t *testing.T) map[string]func(address string) error {
	t.Helper()
	identity, err := agent.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	everyone := func(string) bool { return true }
	dial := func(config *tls.Config) func(string) error {
		return func(address string) error {
			conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", address, config)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				return err
			}
			// In TLS 1.3 the client learns only now that the server has refused its certificate.
			if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
	}
	return map[string]func(string) error{
		"a stranger on the control protocol": dial(identity.ClientConfig(wire.Control, everyone)),
		"a stranger on the call protocol":    dial(identity.ClientConfig(wire.Call, everyone)),
		"a client without a certificate":     dial(&tls.Config{InsecureSkipVerify: true, NextProtos: []string{wire.Call}}),
	}
}
