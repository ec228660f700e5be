package server

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jeton-dev/jeton/internal/agent"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/runtime"
)

// Bootstraps returns the files that the interpreter of a language runs before its function is known.
func Bootstraps(language string) map[string][]byte {
	worker, ok := workers()[language]
	if !ok {
		return nil
	}
	return map[string][]byte{worker.BootstrapName: worker.Bootstrap}
}

// readToolchains returns the toolchains that the agent has found, or else looks for them. A search
// runs interpreters, which takes long with the CPU limit of a function.
func readToolchains(ctx context.Context, file string) *runtime.Toolchains {
	if text, err := os.ReadFile(file); err == nil {
		if found, err := runtime.DecodeToolchains(text); err == nil {
			return found
		}
	}
	return runtime.FindToolchains(ctx, nil)
}

// Launcher returns the configuration of a launcher that starts and builds the functions of a language
// with the toolchain of its image.
func Launcher(ctx context.Context, c agent.LauncherConfig, language string) agent.LauncherConfig {
	// The file exists when the agent has accepted the launcher.
	toolchains := sync.OnceValue(func() *runtime.Toolchains { return readToolchains(ctx, filepath.Join(c.Dir, agent.ToolchainsFile)) })
	c.OutOfMemory, c.Memory = agent.OutOfMemory, agent.Memory
	c.Start = func(t wire.Task, home string) (runtime.Start, error) {
		starter := runtime.Starter{Toolchains: toolchains(), Workers: workers()}
		return starter.Start(t.Runtime, t.Handler, t.Launch, t.Env, home)
	}
	if worker, ok := workers()[language]; ok {
		c.Worker = func(bootstraps string) []string {
			// Without the interpreter the start of a function fails, and says so.
			command, _ := worker.Command(toolchains(), path.Join(bootstraps, worker.BootstrapName))
			return command
		}
	}
	c.Build = func(ctx context.Context, t wire.Task, b runtime.Build) (runtime.Launch, error) {
		info, ok := runtime.Lookup(t.Runtime)
		if !ok {
			return runtime.Launch{}, fmt.Errorf("unknown runtime %.100q", t.Runtime)
		}
		handler, err := runtime.ParseHandler(info.Language, t.Handler)
		if err != nil {
			return runtime.Launch{}, err
		}
		b.Runtime, b.Handler = info, handler
		// The tools that download inherit these variables. The launcher runs one build.
		for _, variable := range t.Env {
			name, value, _ := strings.Cut(variable, "=")
			if err := os.Setenv(name, value); err != nil {
				return runtime.Launch{}, err
			}
		}
		config := DefaultConfig(c.Temporary)
		config.CacheDir, config.Crates = filepath.Join(c.Temporary, "cache"), t.Crates
		return builders(config, toolchains()).Build(ctx, b)
	}
	return c
}
