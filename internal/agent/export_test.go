package agent

import (
	"log/slog"
	"net"
)

// Accept accepts connections from a listener like an agent.
func Accept(listener net.Listener) error {
	identity, err := NewIdentity()
	if err != nil {
		return err
	}
	(&agent{config: Config{Log: slog.New(slog.DiscardHandler)}, identity: identity}).accept(listener)
	return nil
}
