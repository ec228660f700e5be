package python

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	// compileTimeout is the maximum time of the compilation to bytecode, which only
	// makes starts faster.
	compileTimeout = 5 * time.Minute
)

// syntaxProgram compiles a file without running it or writing to files.
const syntaxProgram = "import sys; compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec', dont_inherit=True)"

// syntax checks one file. Python reports an error in few lines.
var syntax = script.Checker{Arguments: []string{"-I", "-S", "-c", syntaxProgram}, Lines: 4}

// A Builder builds Python functions. It is safe for concurrent use.
type Builder struct{ toolchains *runtime.Toolchains }

var _ runtime.Builder = (*Builder)(nil)

// options returns the options of the interpreter. Output is not buffered (-u), because it
// is the log of the function. Modules that are installed on this machine are not
// available (-S), as at Scaleway.
func options() []string { return []string{"-u", "-S"} }

// Worker returns the warm worker for Python.
func Worker() runtime.Worker {
	return runtime.Worker{
		Interpreter: runtime.Python, Options: options(), BootstrapName: bootstrapFile, Bootstrap: bootstrap,
		// The variables of Python and the C library.
		Startup: []string{"PYTHON*", "LANG", "LANGUAGE", "LC_*", "LD_*", "GLIBC_TUNABLES", "MALLOC_*"},
		Handled: []string{"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"},
	}
}

// New returns a builder that uses the Python of this machine.
func New(toolchains *runtime.Toolchains) *Builder { return &Builder{toolchains: toolchains} }

// Fingerprint changes with the toolchain and the bootstrap.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.Python)
	return runtime.Digest(toolchain.Path, toolchain.Version, runtime.CodeDir, string(bootstrap), strings.Join(options(), " ")), err
}

// Build checks the syntax of the handler's file without running it, and writes code,
// bytecode and bootstrap to the output.
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
	if small, err := isSmall(filepath.Join(build.Output, runtime.CodeDir)); err != nil || small {
		return launch(file, build.Handler.Function), err
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
			// Instances must not change the output.
			"PYTHONDONTWRITEBYTECODE=1",
		},
	}
}

// smallCode is the size of code in bytes that Python compiles at each start in less than a
// millisecond. Its bytecode is not stored, since that takes a tenth of a second.
const smallCode = 4 << 10

// isSmall reports whether the Python files of a folder together have at most smallCode bytes.
func isSmall(dir string) (bool, error) {
	size := int64(0)
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(entry.Name(), ".py") || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if size += info.Size(); size > smallCode {
			return fs.SkipAll
		}
		return nil
	})
	return size <= smallCode, err
}

// compile writes the bytecode that Python would write at the first start if the folder were
// writable. It ignores files that do not compile, because libraries contain files for
// other versions of Python.
func compile(ctx context.Context, t runtime.Toolchain, build runtime.Build) error {
	_, err := tool.Run(ctx, tool.Command{
		Args:      []string{t.Path, "-I", "-S", "-m", "compileall", "-q", filepath.Join(build.Output, runtime.CodeDir)},
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
