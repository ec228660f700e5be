package rust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// DefaultTimeout is how long a build may take, from Scaleway's documentation of
// function limits.
const DefaultTimeout = 40 * time.Minute

const (
	// program is the name of the compiled function in a build's output.
	program = runtime.CodeDir
	// excerptLines is how much of cargo's output users see.
	excerptLines = 24
)

// Config is how a Builder builds. Home is required.
type Config struct {
	// Home is cargo's own CARGO_HOME: it keeps the crates that were downloaded.
	Home string
	// Crates is where crates come from in place of crates.io: the address of a
	// registry, such as sparse+https://crates.example.com/, or the absolute path of
	// a folder as "cargo vendor" makes it; empty for crates.io. What an archive says
	// for itself goes before it.
	Crates string
	// SharedTarget is a folder that keeps what was compiled, for all builds;
	// empty compiles all crates anew for each. What one function's crates do
	// while they are compiled could then change another function, so it is for
	// servers all of whose authors trust each other.
	SharedTarget string
	// Timeout bounds one build; zero stands for DefaultTimeout.
	Timeout time.Duration
}

// A Builder builds one Rust function at a time, for one compiler can use the
// whole machine.
type Builder struct {
	config     Config
	toolchains *runtime.Toolchains
	// busy holds a value while a build runs.
	busy chan struct{}
}

var _ runtime.Builder = (*Builder)(nil)

// New returns a builder that uses the machine's cargo.
func New(config Config, toolchains *runtime.Toolchains) *Builder {
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	return &Builder{config: config, toolchains: toolchains, busy: make(chan struct{}, 1)}
}

// Fingerprint changes with Rust, the mirror, and the program around the function.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Rust)
	return runtime.Digest(toolchain.Path, toolchain.Version, b.config.Crates, mainText, manifestText), err
}

// Build compiles the function and leaves one program in the output.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Rust)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	select {
	case b.busy <- struct{}{}:
		defer func() { <-b.busy }()
	case <-ctx.Done():
		return runtime.Launch{}, ctx.Err()
	}
	if err := b.boundShared(); err != nil {
		return runtime.Launch{}, err
	}
	env, err := b.environment(toolchain, build.Output)
	if err != nil {
		return runtime.Launch{}, err
	}
	defer os.RemoveAll(scratch(build.Output))
	c, err := b.readCrate(ctx, toolchain, build, env)
	if err != nil {
		return runtime.Launch{}, err
	}
	main, err := c.writeProgram(build.Handler.Function)
	if err != nil {
		return runtime.Launch{}, fmt.Errorf("write the program around the function: %w", err)
	}
	if err := b.compile(ctx, toolchain, build, c, main, env); err != nil {
		return runtime.Launch{}, err
	}
	return runtime.Launch{Command: []string{runtime.DirPlaceholder + "/" + program}}, nil
}

// compile downloads crates first, and then compiles without a network. Only the
// first step writes to cargo's home, which functions share: it runs nothing of the
// archive, unless that has a configuration of cargo's, by which it could. Such a
// one downloads nothing.
func (b *Builder) compile(ctx context.Context, t runtime.Toolchain, build runtime.Build, c *crate, main string, env []string) error {
	manifest := filepath.Join(c.dir, main, "Cargo.toml")
	readable := []string{b.config.Home}
	if filepath.IsAbs(b.config.Crates) {
		readable = append(readable, b.config.Crates)
	}
	fetch := tool.Command{
		Args:     []string{t.Path, "fetch", "--manifest-path", manifest},
		Readable: readable, Writable: []string{build.Source, scratch(build.Output), b.config.Home}, Network: true,
	}
	compile := tool.Command{
		Args:     []string{t.Path, "build", "--offline", "--release", "--message-format", "short", "--manifest-path", manifest},
		Readable: readable, Writable: []string{build.Source, scratch(build.Output), targetOf(env)},
	}
	if c.vendored || c.configured {
		fetch.Args, fetch.Network = append(fetch.Args, "--offline"), false
		fetch.Writable = []string{build.Source, scratch(build.Output)}
	}
	for _, command := range []tool.Command{fetch, compile} {
		if c.vendored {
			command.Args = append(command.Args, "--config", `source.crates-io.replace-with="jeton-vendored"`,
				"--config", fmt.Sprintf("source.jeton-vendored.directory=%q", filepath.Join(c.dir, vendored)))
		}
		command.Dir, command.Env, command.Log, command.Timeout, command.Walls = c.dir, env, build.Log, b.config.Timeout, t.Walls
		out, err := tool.Run(ctx, command)
		var failure *tool.Failure
		switch {
		case errors.Is(err, tool.ErrTimeout):
			return runtime.Failf("the build took longer than %v", b.config.Timeout)
		case errors.As(err, &failure):
			return b.explain(out, build)
		case err != nil:
			return err
		}
	}
	return take(targetOf(env), filepath.Join("release", program), filepath.Join(build.Output, program))
}

// take moves a compiled program out of the folder that the build wrote to, which may
// have put anything in its place.
func take(dir, name, to string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, runtime.Failf("the build left no program"))
	}
	from, err := root.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return errors.Join(err, out.Close())
}

func targetOf(env []string) string {
	for _, variable := range env {
		if target, found := strings.CutPrefix(variable, "CARGO_TARGET_DIR="); found {
			return target
		}
	}
	return ""
}

// explain turns cargo's output into words for the function's author.
func (b *Builder) explain(out string, build runtime.Build) error {
	function := build.Handler.Function
	for line := range strings.SplitSeq(out, "\n") {
		// The function's own files have longer names, those of its crate before them.
		text, found := strings.CutPrefix(line, "main.rs:")
		if !found || !strings.Contains(text, "error") {
			continue
		}
		if strings.Contains(text, "cannot find function") || strings.Contains(text, "is private") {
			return runtime.Failf("the crate has no public function %s: the handler names a function of its library, "+
				"such as: pub async fn %s(req: Request<Body>) -> Response<Body>", function, function)
		}
		_, text, _ = strings.Cut(text, "error")
		return runtime.Failf("%s must be: pub async fn %s(req: axum::extract::Request<axum::body::Body>) -> "+
			"axum::response::Response<axum::body::Body>, of axum 0.8; error%s", function, function, text)
	}
	return runtime.Failf("the build failed:\n%s",
		tool.Excerpt(dropProgress(out), excerptLines, build.Source+"/", build.Source, scratch(build.Output)+"/", b.config.Home+"/"))
}

// dropProgress takes out the lines by which cargo tells what it is at.
func dropProgress(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word != "Compiling" && word != "Downloaded" && word != "Adding" && word != "Locking" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
