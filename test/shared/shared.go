// Package shared starts a server at most once per test program, and stops it after the
// last test.
package shared

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// A Server is a server for the tests of one program. Start is required. Get and Main are
// safe for concurrent use.
type Server[S interface{ Stop() error }] struct {
	// Start starts the server.
	Start func() (S, error)

	once    sync.Once
	server  S
	err     error
	running bool
}

// Get returns the server, which it starts first if necessary. TestMain must call Main.
func (s *Server[S]) Get(t testing.TB) S {
	t.Helper()
	s.once.Do(func() {
		s.server, s.err = s.Start()
		s.running = s.err == nil
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

// Main runs the tests of a program, stops the server, and exits. TestMain calls it.
func (s *Server[S]) Main(m *testing.M) { os.Exit(s.Run(m.Run)) }

// Run runs tests, stops the server, and returns the exit code of the program. It is for
// programs with several servers.
func (s *Server[S]) Run(tests func() int) int {
	code := tests()
	if s.running {
		if err := s.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}
