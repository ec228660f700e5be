package kubernetes_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/launcher"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/engine/enginetest"
	"github.com/jeton-dev/jeton/internal/runtime"
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
		Dir: os.Args[1], Home: os.Args[2], Temporary: os.Args[3], OutOfMemory: launcher.OutOfMemory,
		Start: func(t wire.Task, _ string) (runtime.Start, error) {
			if t.Handler == "missing" {
				return runtime.Start{Command: []string{"/no/such/program"}}, nil
			}
			return runtime.Start{Command: []string{program}, Env: t.Env}, nil
		},
		Build: buildForTest,
	})
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
