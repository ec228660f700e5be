package node

import (
	"context"
	_ "embed"
	"encoding/json"
	"path"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/script"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

const bootstrapFile = "bootstrap.cjs"

//go:embed bootstrap.cjs
var bootstrap []byte

// extensions has the extensions of handler files in the order of precedence.
var extensions = []string{".js", ".mjs", ".cjs"}

// syntax checks one file. Node.js reports an error in many lines.
var syntax = script.Checker{Arguments: []string{"--check"}, Lines: 12}

// A Builder builds Node.js functions. It is safe for concurrent use.
type Builder struct{ toolchains *runtime.Toolchains }

var _ runtime.Builder = (*Builder)(nil)

// Worker returns the warm worker for Node.js.
func Worker() runtime.Worker {
	return runtime.Worker{
		Interpreter: runtime.Node, BootstrapName: bootstrapFile, Bootstrap: bootstrap,
		// The variables of Node.js, libuv, OpenSSL, ICU and the C library.
		Startup: []string{"NODE_*", "UV_*", "OPENSSL_*", "SSL_CERT_*", "ICU_*", "LANG", "LANGUAGE", "LC_*", "LD_*", "GLIBC_TUNABLES", "MALLOC_*"},
		// Node.js itself does not read this one.
		Handled: []string{"NODE_ENV"},
	}
}

// New returns a builder that uses the Node.js of this machine.
func New(toolchains *runtime.Toolchains) *Builder { return &Builder{toolchains: toolchains} }

// Fingerprint changes with the toolchain and the bootstrap.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Node)
	return runtime.Digest(toolchain.Path, toolchain.Version, runtime.CodeDir, string(bootstrap)), err
}

// Build checks the syntax of the handler's file without running it, and writes code and
// bootstrap to the output.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Node)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	file, err := script.Find(build, extensions)
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := syntax.Check(ctx, toolchain, build, file); err != nil {
		return runtime.Launch{}, err
	}
	how := "require"
	if isModule(build.Source, file) {
		how = "import"
	}
	// The empty package.json keeps Node.js from searching for one in the folders above the
	// output.
	files := map[string][]byte{bootstrapFile: bootstrap, "package.json": []byte("{}\n")}
	if err := script.Lay(build, files); err != nil {
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

// isModule reports whether a file is an ES module, by its extension or the nearest
// package.json.
func isModule(source, file string) bool {
	switch path.Ext(file) {
	case ".mjs":
		return true
	case ".cjs":
		return false
	}
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		text, err := tool.ReadDescription(filepath.Join(source, filepath.FromSlash(dir), "package.json"))
		if err == nil {
			var described struct{ Type string }
			// Node.js reports an invalid package.json.
			_ = json.Unmarshal(text, &described)
			return described.Type == "module"
		}
		if dir == "." {
			return false
		}
	}
}
