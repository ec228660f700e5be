package launch

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/jeton-dev/jeton/internal/agent/launcher"
	"github.com/jeton-dev/jeton/internal/agent/wire"
	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/languages"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
)

// usageStatus is the exit status after a wrong command line.
const usageStatus = 2

func init() {
	if len(os.Args) > 2 && os.Args[1] == "agent" && os.Args[2] == "launch" {
		os.Exit(run(os.Args[3:], os.Stderr))
	}
}

// CollectGarbage turns on the garbage collector, which is off in Pods while this program starts: the
// collections of its few megabytes take a fifth of the CPU time of the start.
func CollectGarbage() {
	const percent = 200
	debug.SetGCPercent(percent)
}

// run launches until the function has ended, and returns the exit status.
func run(args []string, errOut io.Writer) int {
	CollectGarbage()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c launcher.Config
	flags := flag.NewFlagSet("jeton agent launch", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&c.Dir, "dir", "", "`folder` of the agent")
	flags.StringVar(&c.Home, "home", "", "empty `folder` for the code")
	flags.StringVar(&c.Temporary, "temporary", "", "`folder` for temporary files")
	language := flags.String("language", "", "`language` of the function")
	if err := flags.Parse(args); err != nil {
		return usageStatus
	}
	if err := launcher.Run(ctx, configure(ctx, c, *language)); err != nil {
		fmt.Fprintln(errOut, "jeton:", err)
		return 1
	}
	return 0
}

// configure returns the configuration of a launcher that starts and builds the functions of a
// language with the toolchain of its image.
func configure(ctx context.Context, c launcher.Config, language string) launcher.Config {
	// The file exists when the agent has accepted the launcher.
	toolchains := sync.OnceValue(func() *runtime.Toolchains { return readToolchains(ctx, filepath.Join(c.Dir, launcher.Toolchains)) })
	c.OutOfMemory, c.Memory = launcher.OutOfMemory, launcher.Memory
	c.Start = func(t wire.Task, home string) (runtime.Start, error) {
		starter := runtime.Starter{Toolchains: toolchains(), Workers: languages.Workers()}
		return starter.Start(t.Runtime, t.Handler, t.Launch, t.Env, home)
	}
	if worker, ok := languages.Workers()[language]; ok {
		c.Worker = func(bootstraps string) []string {
			// Without the interpreter the start of a function fails, and says so.
			command, _ := worker.Command(toolchains(), path.Join(bootstraps, worker.BootstrapName))
			return command
		}
	}
	c.Build = func(ctx context.Context, t wire.Task, b runtime.Build) (runtime.Launch, error) {
		return build(ctx, t, b, filepath.Join(c.Temporary, "cache"), toolchains())
	}
	return c
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

// build builds the source of a task. The cache is a folder that the process may write to.
func build(ctx context.Context, t wire.Task, b runtime.Build, cache string, toolchains *runtime.Toolchains) (runtime.Launch, error) {
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
	builders := languages.Builders(languages.Config{
		Go: golang.Config{Base: filepath.Join(cache, "base")}, Rust: rust.Config{Crates: t.Crates},
	}, toolchains)
	return builders.Build(ctx, b)
}
