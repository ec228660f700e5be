package postgres_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/test/postgres"
)

// A server that ends while it starts is reported, and can be stopped.
func TestStop_ReturnsAfterAFailedStart(t *testing.T) {
	t.Parallel()
	server, err := postgres.Start()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Crash(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(server.Socket()), "data", "PG_VERSION")); err != nil {
		t.Fatal(err)
	}
	if err := server.Resume(); err == nil {
		t.Error("a server without the file PG_VERSION starts")
	}
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("stop does not return")
	}
}
