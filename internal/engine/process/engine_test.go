package process_test

import (
	"log"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/engine"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/engine/process"
	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/test/await"
	"github.com/jeton-dev/jeton/test/needs"
)

func TestMain(m *testing.M) {
	enginetest.Main()
	if dir := os.Getenv(serverVariable); dir != "" {
		log.Fatal(runServer(dir))
	}
	if os.Getenv(burnVariable) != "" {
		log.Fatal(runBurner())
	}
	os.Exit(m.Run())
}

// shortDir returns a folder with a short path, for sockets.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "jt") //nolint:usetesting // See above.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func newEngine(t *testing.T, config process.Config) *process.Engine {
	t.Helper()
	if config.Starter == nil {
		config = withPorts(t, config)
	}
	e, err := process.New(config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatalf("New() = %v", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, level := range levels(t) {
		t.Run(level.String(), func(t *testing.T) {
			t.Parallel()
			if level == sandbox.Full {
				needs.Root(t, "isolates at level full")
			}
			if level == sandbox.User && os.Geteuid() == 0 {
				runAsNobody(t, level)
				return
			}
			open := func(t *testing.T, ready time.Duration) *process.Engine {
				t.Helper()
				dir := shortDir(t)
				t.Cleanup(func() { wantEmpty(t, dir) })
				return newEngine(t, process.Config{
					Disk: 32 << 20, DiskDir: t.TempDir(),
					Dir: dir, ReadyTimeout: ready, Grace: 300 * time.Millisecond,
					Isolation: level, WarmPool: process.WarmPool{Min: 1, Max: 1, Memory: 1 << 30},
				})
			}
			enginetest.Run(t, func(t *testing.T, ready time.Duration) engine.Engine { return open(t, ready) })
			if level == sandbox.Full {
				t.Run("reports memory", func(t *testing.T) {
					t.Parallel()
					enginetest.RunMemory(t, open(t, await.Patience))
				})
			}
			for name, test := range localTests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, open(t, await.Patience))
				})
			}
		})
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%s has %v, %v, want nothing left behind", dir, entries, err)
	}
}

func TestNew_RefusesALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 20))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := process.New(withPorts(t, process.Config{Dir: dir}), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "choose a shorter one") {
		t.Errorf("New() = %v, want that the path is too long", err)
	}
	wantEmpty(t, dir)
}

func TestNew_RemovesFoldersOfEndedEngines(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	living := newEngine(t, process.Config{Dir: dir})
	left := filepath.Join(dir, "jeton-run-1")
	other := filepath.Join(dir, "others")
	for _, path := range []string{filepath.Join(left, "i1", "tmp"), other} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	newEngine(t, process.Config{Dir: dir})
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("stat of an ended engine's folder = %v, want that it does not exist", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("stat of another folder = %v, want that it exists", err)
	}
	if err := living.Close(); err != nil {
		t.Errorf("Close() of the first engine = %v", err)
	}
}

// TestEngine_EndedInstanceRefusesConnections connects to the socket of an ended
// instance: if another process had it open, the connection would hang.
func TestEngine_EndedInstanceRefusesConnections(t *testing.T) {
	t.Parallel()
	e := newEngine(t, process.Config{Dir: shortDir(t)})
	r := enginetest.Revision(enginetest.Serve)
	socket := enginetest.StartOne(t, e, enginetest.Watch(t, e), r).Address.Endpoint()
	hold := filepath.Join(filepath.Dir(socket), "hold")
	if err := os.Link(socket, hold); err != nil {
		t.Fatal(err)
	}
	if err := e.Delete(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("unix", hold); err == nil {
		t.Errorf("connected to the socket of an ended instance: %v", conn.Close())
	}
}
