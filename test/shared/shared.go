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
func (s *Server[S]) Main(m *testing.M) { Main(m, s.Stop) }

// Stop stops the server if it runs.
func (s *Server[S]) Stop() error {
	if !s.running {
		return nil
	}
	return s.server.Stop()
}

// Main runs the tests of a program, stops its servers, and exits. TestMain calls it.
func Main(m *testing.M, stops ...func() error) {
	code := m.Run()
	for _, stop := range stops {
		if err := stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}
