package python

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/script"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

const (
	bootstrapFile = "bootstrap.py"
	// compileTimeout bounds the compilation of all the code, which is only
	// there to make starts faster.
	compileTimeout = 5 * time.Minute
)

// syntaxProgram compiles a file without running it or writing anything.
const syntaxProgram = "import sys; compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec', dont_inherit=True)"

// syntax is that of one file, which Python complains about in few lines.
var syntax = script.Checker{Arguments: []string{"-I", "-c", syntaxProgram}, Lines: 4}

// A Builder builds Python functions.
type Builder struct{ toolchains *runtime.Toolchains }

var _ runtime.Builder = (*Builder)(nil)

// options are those of the interpreter. Output is not buffered (-u), for it is the
// function's log. The modules that this machine's Python has installed are not
// there for functions (-S): at Scaleway they are not either.
func options() []string { return []string{"-u", "-S"} }

// Worker is a Python that waits for its function.
func Worker() runtime.Worker {
	return runtime.Worker{
		Interpreter: runtime.Python, Options: options(), BootstrapName: bootstrapFile, Bootstrap: bootstrap,
		// Of Python itself and of the C library.
		Startup: []string{"PYTHON*", "LANG", "LANGUAGE", "LC_*", "LD_*", "GLIBC_TUNABLES", "MALLOC_*"},
		Handled: []string{"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"},
	}
}

// New returns a builder that uses the machine's Python.
func New(toolchains *runtime.Toolchains) *Builder { return &Builder{toolchains: toolchains} }

// Fingerprint changes with Python and the bootstrap.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Python)
	return runtime.Digest(toolchain.Path, toolchain.Version, runtime.CodeDir, string(bootstrap), strings.Join(options(), " ")), err
}

// Build checks the syntax of the handler's file, without running it, and puts
// the code, compiled, and the bootstrap into the output.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.Python)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	file, err := script.Find(build, []string{".py"})
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := syntax.Check(ctx, toolchain, build, file); err != nil {
		return runtime.Launch{}, err
	}
	if err := script.Lay(build, map[string][]byte{bootstrapFile: bootstrap}); err != nil {
		return runtime.Launch{}, err
	}
	if err := compile(ctx, toolchain, build); err != nil {
		return runtime.Launch{}, err
	}
	return launch(file, build.Handler.Function), nil
}

func launch(file, function string) runtime.Launch {
	code := path.Join(runtime.DirPlaceholder, runtime.CodeDir)
	return runtime.Launch{
		Interpreter: runtime.Python,
		Command:     append(options(), path.Join(runtime.DirPlaceholder, bootstrapFile), code, file, function),
		Env: []string{
			"PYTHONPATH=" + code + ":" + path.Join(code, "package"),
			// The output never changes.
			"PYTHONDONTWRITEBYTECODE=1",
		},
	}
}

// compile writes the bytecode that Python itself would write at the first start,
// were it allowed to. Files that do not compile are left alone: libraries ship
// some for other versions of Python.
func compile(ctx context.Context, t runtime.Toolchain, build runtime.Build) error {
	_, err := tool.Run(ctx, tool.Command{
		Args:      []string{t.Path, "-I", "-m", "compileall", "-q", filepath.Join(build.Output, runtime.CodeDir)},
		Dir:       build.Output,
		Writable:  []string{build.Output},
		Isolation: t.Isolation,
		Log:       build.Log,
		Timeout:   compileTimeout,
	})
	var failure *tool.Failure
	if err == nil || errors.As(err, &failure) || errors.Is(err, tool.ErrTimeout) {
		return nil
	}
	return fmt.Errorf("compile the code: %w", err)
}
