package node

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/script"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

const (
	bootstrapFile = "bootstrap.cjs"
	// checkTimeout bounds the check of one file's syntax.
	checkTimeout = time.Minute
	// excerptLines is how much of Node's words about a file users see.
	excerptLines = 12
)

//go:embed bootstrap.cjs
var bootstrap []byte

// extensions are those of handlers, in the order in which they are looked for.
var extensions = []string{".js", ".mjs", ".cjs"}

// A Builder builds Node functions.
type Builder struct{ toolchains *runtime.Toolchains }

var _ runtime.Builder = (*Builder)(nil)

// Worker is a Node that waits for its function.
func Worker() runtime.Worker {
	return runtime.Worker{
		Interpreter: runtime.Node, BootstrapName: bootstrapFile, Bootstrap: bootstrap,
		// Of Node itself, of libuv, OpenSSL and ICU, and of the C library.
		Startup: []string{"NODE_*", "UV_*", "OPENSSL_*", "SSL_CERT_*", "ICU_*", "LANG", "LANGUAGE", "LC_*", "LD_*", "GLIBC_TUNABLES", "MALLOC_*"},
		// Only code reads this one.
		Handled: []string{"NODE_ENV"},
	}
}

// New returns a builder that uses the machine's Node.
func New(toolchains *runtime.Toolchains) *Builder { return &Builder{toolchains: toolchains} }

// Fingerprint changes with Node and the bootstrap.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Node)
	return runtime.Digest(toolchain.Path, toolchain.Version, runtime.CodeDir, string(bootstrap)), err
}

// Build checks the syntax of the handler's file, without running it, and puts
// the code and the bootstrap into the output.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Node)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	file, err := script.Find(build, extensions)
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := check(ctx, toolchain, build, file); err != nil {
		return runtime.Launch{}, err
	}
	how := "require"
	if isModule(build.Source, file) {
		how = "import"
	}
	// The empty package.json keeps Node from looking for one above the output,
	// where it would find that of a stranger.
	beside := map[string][]byte{bootstrapFile: bootstrap, "package.json": []byte("{}\n")}
	if err := script.Lay(build, beside); err != nil {
		return runtime.Launch{}, err
	}
	return runtime.Launch{
		Interpreter: runtime.Node,
		Command: []string{
			path.Join(runtime.DirPlaceholder, bootstrapFile),
			path.Join(runtime.DirPlaceholder, runtime.CodeDir, file),
			how,
			build.Handler.Function,
		},
	}, nil
}

func check(ctx context.Context, t runtime.Toolchain, build runtime.Build, file string) error {
	out, err := tool.Run(ctx, tool.Command{
		Args:     []string{t.Path, "--check", filepath.Join(build.Source, filepath.FromSlash(file))},
		Dir:      build.Source,
		Readable: []string{build.Source},
		Walls:    t.Walls,
		Log:      build.Log,
		Timeout:  checkTimeout,
	})
	var failure *tool.Failure
	if errors.As(err, &failure) {
		return runtime.Failf("the code has a syntax error:\n%s",
			tool.Excerpt(out, excerptLines, "file://"+build.Source+"/", build.Source+"/"))
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", file, err)
	}
	return nil
}

// isModule tells whether a file is an ES module: by its extension, or by the
// nearest package.json.
func isModule(source, file string) bool {
	switch path.Ext(file) {
	case ".mjs":
		return true
	case ".cjs":
		return false
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(source, filepath.FromSlash(dir), "package.json"))
		if err == nil {
			var described struct{ Type string }
			// A package.json that cannot be read is Node's to complain about.
			_ = json.Unmarshal(text, &described)
			return described.Type == "module"
		}
		if dir == "." {
			return false
		}
	}
}
