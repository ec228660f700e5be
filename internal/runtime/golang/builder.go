package golang

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// DefaultTimeout is the maximum time of a build. Source: Scaleway's documentation of
// function limits.
const DefaultTimeout = 40 * time.Minute

const (
	// program is the name of the compiled function in the output of a build.
	program = runtime.CodeDir
	// excerptLines is the number of lines of the compiler's output that users see.
	excerptLines = 20
)

// Config configures a Builder. Base is required.
type Config struct {
	// Base is a folder for the compiled standard library, which is copied to the cache
	// of each project. Only the builder writes to it, and never compiles functions into
	// it.
	Base string
	// Timeout is the maximum time of a build. Zero means DefaultTimeout.
	Timeout time.Duration
}

// A Builder builds Go functions. It is safe for concurrent use.
type Builder struct {
	config     Config
	toolchains *runtime.Toolchains
	// settings returns the variables of the server about sources of modules.
	settings func() ([]string, error)
	// base is a lock: it holds a value while the base cache is being created.
	base chan struct{}
}

var _ runtime.Builder = (*Builder)(nil)

// New returns a builder that uses the Go toolchain of this machine.
func New(config Config, toolchains *runtime.Toolchains) *Builder {
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	b := &Builder{config: config, toolchains: toolchains, base: make(chan struct{}, 1)}
	b.settings = sync.OnceValues(b.readSettings)
	return b
}

// flags returns the flags of every build.
func flags() []string { return []string{"-trimpath", "-buildvcs=false", "-ldflags=-s -w"} }

// Fingerprint changes with the Go toolchain and the generated main package.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Go)
	return runtime.Digest(toolchain.Path, toolchain.Version, strings.Join(flags(), " "), programText), err
}

// Build compiles the function. The output consists of one program.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Go)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	m, err := readModule(build.Source, build.Handler.Dir, toolchain.Version)
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := m.checkFunction(build.Handler.Function); err != nil {
		return runtime.Launch{}, err
	}
	main, err := m.writeMain(build.Handler.Function)
	if err != nil {
		return runtime.Launch{}, fmt.Errorf("generate the main package: %w", err)
	}
	if err := b.compile(ctx, toolchain, build, m, main); err != nil {
		return runtime.Launch{}, err
	}
	return runtime.Launch{Command: []string{runtime.DirPlaceholder + "/" + program}}, nil
}

func (b *Builder) compile(ctx context.Context, t runtime.Toolchain, build runtime.Build, m *module, main string) error {
	if err := os.Mkdir(scratch(build.Output), 0o700); err != nil {
		return fmt.Errorf("create folder for the build: %w", err)
	}
	defer os.RemoveAll(scratch(build.Output))
	caches := cachesOf(build)
	if err := b.prepare(ctx, t, caches, build); err != nil {
		return err
	}
	missing, err := b.fetch(ctx, t, build, m, caches)
	if err != nil {
		return err
	}
	out, err := tool.Run(ctx, tool.Command{
		Args:      slices.Concat([]string{t.Path, "build"}, flags(), []string{"-o", filepath.Join(build.Output, program), "./" + main}),
		Dir:       m.dir,
		Env:       environment(scratch(build.Output), caches.modules, caches.compiled),
		Readable:  []string{caches.modules},
		Writable:  []string{build.Source, build.Output, caches.compiled},
		Isolation: t.Isolation,
		Log:       build.Log,
		Timeout:   b.config.Timeout,
	})
	var failure *tool.Failure
	switch {
	case errors.Is(err, tool.ErrTimeout):
		return runtime.Failf("the build took longer than %v", b.config.Timeout)
	case errors.As(err, &failure):
		return b.explain(out, missing, build, m, main)
	}
	return err
}

// explain returns the BuildError for the output of the compiler. missing is the output of
// the download of modules if that failed.
func (b *Builder) explain(out, missing string, build runtime.Build, m *module, main string) error {
	caches := cachesOf(build)
	excerpt := func(out string) string {
		return tool.Excerpt(dropHeadings(out), excerptLines, fetched(build)+"/",
			build.Source+"/", caches.modules+"/", caches.compiled+"/", scratch(build.Output)+"/")
	}
	shown := excerpt(out)
	if text, found := strings.CutPrefix(firstLineOf(shown, main), main+"/"+mainFile+":"); found {
		_, text, _ = strings.Cut(text, " ")
		return runtime.Failf("%s must be func(http.ResponseWriter, *http.Request): %s",
			m.qualified(build.Handler.Function), text)
	}
	// Without any downloaded module the go command fails to create its folders in the cache.
	if missing != "" && (strings.Contains(out, "GOPROXY=off") || strings.Contains(out, "cache: read-only file system")) {
		return runtime.Failf("the build failed: modules are missing:\n%s", excerpt(missing))
	}
	return runtime.Failf("the build failed:\n%s", shown)
}

// dropHeadings removes the lines in which the go command names packages.
func dropHeadings(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "# ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// firstLineOf returns the first line about a file in the folder, or "".
func firstLineOf(output, folder string) string {
	for line := range strings.SplitSeq(output, "\n") {
		if strings.HasPrefix(line, folder+"/") {
			return line
		}
	}
	return ""
}
