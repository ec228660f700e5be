package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/engine"
)

// adminSocket is the name of the socket at which the owner says who may call.
const adminSocket = "admin.sock"

// listenAdmin listens on the socket in the data folder or, where that has too
// long a path, in a folder of its own. Either is the owner's alone, and the
// endpoints file says which.
func (s *Server) listenAdmin(ctx context.Context) error {
	path := s.path(adminSocket)
	if len(path) > engine.MaxSocketPath {
		dir, err := os.MkdirTemp("", "jeton-admin-")
		if err != nil {
			return fmt.Errorf("folder of the admin socket: %w", err)
		}
		s.opens(closer(func() error { return os.RemoveAll(dir) }))
		path = filepath.Join(dir, adminSocket)
	}
	// One that is there is left over: the folder is this server's.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("admin socket: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	s.opens(ignoreClosed{listener})
	s.listeners.admin, s.endpoints.Admin = listener, path
	return os.Chmod(path, 0o600)
}

func (s *Server) adminServer() *http.Server {
	return &http.Server{
		Handler:           s.owner.Handler(s.log, s.auditor.Admin),
		ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ReadTimeout: headerTimeout, WriteTimeout: requestTimeout,
	}
}
