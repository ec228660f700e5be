package rust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
	// excerptLines is the number of lines of cargo's output that users see.
	excerptLines = 24
)

// Config configures a Builder.
type Config struct {
	// Crates replaces crates.io: the URL of a registry, such as
	// sparse+https://crates.example.com/, or the absolute path of a folder that "cargo
	// vendor" created. Empty means crates.io. It must not contain credentials, because
	// builds can read it. The configuration of an archive overrides it.
	Crates string
	// Share reuses compiled crates in later builds of the project. Build scripts of one
	// function can then change another function of the project, so set it only if all
	// authors of a project trust each other.
	Share bool
	// Timeout is the maximum time of a build. Zero means DefaultTimeout.
	Timeout time.Duration
}

// A Builder builds Rust functions. It is safe for concurrent use.
type Builder struct {
	config     Config
	toolchains *runtime.Toolchains
}

var _ runtime.Builder = (*Builder)(nil)

// New returns a builder that uses the Rust toolchain of this machine.
func New(config Config, toolchains *runtime.Toolchains) *Builder {
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	return &Builder{config: config, toolchains: toolchains}
}

// Fingerprint changes with the Rust toolchain, Crates and the generated crate.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Rust)
	return runtime.Digest(toolchain.Path, toolchain.Version, b.config.Crates, mainText, manifestText), err
}

// Build compiles the function. The output consists of one program.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Rust)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	if err := b.boundShared(ctx, build); err != nil {
		return runtime.Launch{}, err
	}
	env, err := b.environment(toolchain, build)
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
		return runtime.Launch{}, fmt.Errorf("generate the crate: %w", err)
	}
	if err := b.compile(ctx, toolchain, build, c, main, env); err != nil {
		return runtime.Launch{}, err
	}
	return runtime.Launch{Command: []string{runtime.DirPlaceholder + "/" + program}}, nil
}

// compile downloads crates and then compiles without network access. The download sees
// only the manifests of the archive and the names of its files. For an archive with a
// configuration of cargo, which could make it run programs, nothing is downloaded.
func (b *Builder) compile(ctx context.Context, t runtime.Toolchain, build runtime.Build, c *crate, main string, env []string) error {
	if !c.vendored && !c.configured && t.Offline == "" {
		if err := b.fetch(ctx, t, build, c, main, env); err != nil {
			return err
		}
	}
	compile := tool.Command{
		Args: []string{
			t.Path, "build", "--offline", "--release", "--message-format", "short",
			"--manifest-path", filepath.Join(c.dir, main, "Cargo.toml"),
		},
		Dir: c.dir, Env: env,
		Readable: b.readable(build), Writable: []string{build.Source, scratch(build.Output), targetOf(env)},
	}
	if err := b.run(ctx, t, build, c, compile); err != nil {
		return err
	}
	return take(targetOf(env), filepath.Join("release", program), filepath.Join(build.Output, program))
}

// fetched returns the folder with the part of the source that the download may read.
func fetched(build runtime.Build) string { return filepath.Join(scratch(build.Output), "fetch") }

// fetch downloads crates and writes Cargo.lock.
func (b *Builder) fetch(ctx context.Context, t runtime.Toolchain, build runtime.Build, c *crate, main string, env []string) error {
	dir, err := filepath.Rel(build.Source, c.dir)
	if err != nil {
		return err
	}
	isManifest := func(name string) bool { return slices.Contains([]string{"Cargo.toml", lockFile}, path.Base(name)) }
	if err := tool.Skeleton(ctx, build.Source, fetched(build), isManifest, true); err != nil {
		return err
	}
	defer os.RemoveAll(fetched(build))
	fetch := tool.Command{
		Args:     []string{t.Path, "fetch", "--manifest-path", filepath.Join(fetched(build), dir, main, "Cargo.toml")},
		Dir:      filepath.Join(fetched(build), dir),
		Env:      env,
		Readable: b.mirror(),
		Writable: []string{scratch(build.Output), home(build)},
		Network:  true,
	}
	err = build.Fetch(ctx, func(ctx context.Context) error { return b.run(ctx, t, build, c, fetch) })
	if err != nil {
		return err
	}
	return tool.Take(fetched(build), build.Source, filepath.Join(dir, main, lockFile))
}

// readable returns the part of CARGO_HOME that steps without network access may read:
// crates and the configuration of their source, but not the credentials of an operator.
func (b *Builder) readable(build runtime.Build) []string {
	var readable []string
	for _, name := range []string{"registry", "git", configFile} {
		path := filepath.Join(home(build), name)
		if _, err := os.Lstat(path); err == nil {
			readable = append(readable, path)
		}
	}
	return append(readable, b.mirror()...)
}

// mirror returns the folder that replaces crates.io, if there is one.
func (b *Builder) mirror() []string {
	if !filepath.IsAbs(b.config.Crates) {
		return nil
	}
	return []string{b.config.Crates}
}

func (b *Builder) run(ctx context.Context, t runtime.Toolchain, build runtime.Build, c *crate, command tool.Command) error {
	if c.vendored {
		command.Args = append(command.Args, "--config", `source.crates-io.replace-with="jeton-vendored"`,
			"--config", fmt.Sprintf("source.jeton-vendored.directory=%q", filepath.Join(c.dir, vendored)))
	}
	command.Log, command.Timeout, command.Isolation = build.Log, b.config.Timeout, t.Isolation
	out, err := tool.Run(ctx, command)
	var failure *tool.Failure
	switch {
	case errors.Is(err, tool.ErrTimeout):
		return runtime.Failf("the build took longer than %v", b.config.Timeout)
	case errors.As(err, &failure):
		return b.explain(out, t, build)
	}
	return err
}

// take copies the compiled program out of a folder that the build can write to. It does not
// trust the content of the folder.
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

// explain returns the BuildError for the output of cargo.
func (b *Builder) explain(out string, t runtime.Toolchain, build runtime.Build) error {
	function := build.Handler.Function
	for line := range strings.SplitSeq(out, "\n") {
		// The files of the author have longer names, which start with a folder.
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
	shown := tool.Excerpt(dropProgress(out), excerptLines, fetched(build)+"/", build.Source+"/", build.Source, scratch(build.Output)+"/", home(build)+"/", shared(build)+"/")
	if t.Offline != "" && strings.Contains(out, "--offline") {
		shown += "\n" + t.Offline + ": put the crates into the archive with: cargo vendor"
	}
	return runtime.Failf("the build failed:\n%s", shown)
}

// dropProgress removes the lines with the progress of cargo.
func dropProgress(out string) string {
	var kept []string
	for line := range strings.Lines(out) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word != "Compiling" && word != "Downloaded" && word != "Adding" && word != "Locking" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
