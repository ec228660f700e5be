package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/launcher"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/test/await"
)

// roleVariable makes the test program run as a part of a Pod.
const roleVariable = "JETON_TEST_ROLE"

// TestMain also runs the programs of Pods: functions, agents and launchers.
func TestMain(m *testing.M) {
	enginetest.Main()
	switch os.Getenv(roleVariable) {
	case "agent":
		exit(runAgent(terminated()))
	case "launcher":
		exit(runLauncher(terminated()))
	case "flooder":
		exit(runFlooder())
	}
	os.Exit(m.Run())
}

// terminated returns a context that ends with SIGTERM.
func terminated() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:govet // It ends with the process.
	return ctx
}

func exit(err error) {
	if err != nil {
		log.Print(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// agentSettings are the settings of an agent in tests, as JSON in the first argument.
type agentSettings struct{ Listen, Dir, Home, Token, NodeKey, Canary string }

func runAgent(ctx context.Context) error {
	var s agentSettings
	if err := json.Unmarshal([]byte(os.Args[1]), &s); err != nil {
		return err
	}
	return agent.Run(ctx, agent.Config{
		Listen: s.Listen, Dir: s.Dir, Home: s.Home, Token: s.Token, NodeKey: s.NodeKey, Canary: s.Canary, Patience: time.Minute,
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

// runLauncher starts functions of which this program is the code, whatever their order is.
func runLauncher(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	return launcher.Run(ctx, launcher.Config{
		Dir: os.Args[1], Home: os.Args[2], Temporary: os.Args[3], OutOfMemory: launcher.OutOfMemory, Memory: childrenMemory,
		Start: func(t wire.Task, _ string) (runtime.Start, error) {
			if t.Handler == "missing" {
				return runtime.Start{Command: []string{"/no/such/program"}}, nil
			}
			return runtime.Start{Command: []string{program}, Env: t.Env}, nil
		},
		Build: buildForTest,
	})
}

// childrenMemory returns the resident memory of the children of this process, which has no cgroup of its own.
func childrenMemory() (total int64) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(children)) {
			// The second number is the resident memory in pages; the process may have ended.
			text, _ := os.ReadFile(filepath.Join("/proc", child, "statm"))
			if fields := strings.Fields(string(text)); len(fields) > 1 {
				pages, _ := strconv.ParseInt(fields[1], 10, 64)
				total += pages * int64(os.Getpagesize())
			}
		}
	}
	return total
}

// runFlooder is a launcher that a function has taken over: it reports its memory without a question.
func runFlooder() error {
	var conn net.Conn
	err := await.Until(context.Background(), "the agent listens", func() (ok bool) {
		var err error
		conn, err = net.Dial("unix", filepath.Join(os.Args[1], "launcher.sock"))
		return err == nil
	})
	if err != nil {
		return err
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // It comes with the listener.
		return err
	}
	c := wire.NewConn(conn)
	if err := c.Send(wire.Prepared, nil); err != nil {
		return err
	}
	if _, _, err := c.Receive(); err != nil {
		return err
	}
	if err := c.Send(wire.Ready, nil); err != nil {
		return err
	}
	for {
		if err := c.SendUsage(1); err != nil {
			return err
		}
	}
}

// buildForTest moves the source to the output, or fails as the handler says.
func buildForTest(ctx context.Context, t wire.Task, b runtime.Build) (runtime.Launch, error) {
	if _, err := b.Log.Write([]byte("building " + t.Handler + "\n")); err != nil {
		return runtime.Launch{}, err
	}
	switch t.Handler {
	case "wrong":
		return runtime.Launch{}, runtime.Failf("line 1: no such thing")
	case "broken":
		return runtime.Launch{}, os.ErrPermission
	case "caches":
		// Each build finds what the one before has written, and replaces a file.
		latest := filepath.Join(b.Cache, "builds", "latest")
		before, _ := os.ReadFile(latest)
		fmt.Fprintf(b.Log, "the cache has %q\n", before)
		if err := os.MkdirAll(filepath.Dir(latest), 0o755); err != nil {
			return runtime.Launch{}, err
		}
		if err := os.WriteFile(latest, append(before, t.Env[0]...), 0o600); err != nil {
			return runtime.Launch{}, err
		}
	case "fetches":
		err := b.Fetch(ctx, func(context.Context) error {
			_, err := fmt.Fprintf(b.Log, "fetching with %v from %s\n", t.Env, t.Crates)
			return err
		})
		if err != nil {
			return runtime.Launch{}, err
		}
	}
	if err := os.Rename(b.Source, b.Output+"/"+runtime.CodeDir); err != nil {
		return runtime.Launch{}, err
	}
	return runtime.Launch{Command: slices.Clone([]string{"{dir}/program"})}, nil
}
