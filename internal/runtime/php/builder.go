package php

import (
	"context"
	"path"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/script"
)

const (
	bootstrapFile = "bootstrap.php"
	// excerptLines is the number of lines of the output of PHP and composer that users see.
	excerptLines = 12
)

// syntax checks one file, independently of the settings of the machine.
var syntax = script.Checker{
	Arguments: []string{"-n", "-d", "display_errors=1", "-d", "log_errors=0", "-d", "html_errors=0", "-l"},
	Lines:     excerptLines,
}

// DefaultTimeout is the maximum time of a build. Source: Scaleway's documentation of
// Functions.
const DefaultTimeout = 40 * time.Minute

// Config configures a Builder.
type Config struct {
	// Timeout is the maximum time of each run of composer. Zero means DefaultTimeout.
	Timeout time.Duration
}

// A Builder builds PHP functions. It is safe for concurrent use.
type Builder struct {
	config     Config
	toolchains *runtime.Toolchains
}

var _ runtime.Builder = (*Builder)(nil)

// New returns a builder that uses the PHP and composer of this machine.
func New(config Config, toolchains *runtime.Toolchains) *Builder {
	if config.Timeout == 0 {
		config.Timeout = DefaultTimeout
	}
	return &Builder{config: config, toolchains: toolchains}
}

// options returns settings that do not depend on the machine: no limits of time and memory
// besides those of the instance, error messages in the log instead of the response, and
// the environment in $_ENV. The settings of the machine determine the extensions.
func options() []string {
	var options []string
	for _, setting := range []string{
		"max_execution_time=0", "memory_limit=-1", "display_errors=stderr", "log_errors=0", "html_errors=0",
		"variables_order=EGPCS", "output_buffering=0", "auto_prepend_file=",
	} {
		options = append(options, "-d", setting)
	}
	return options
}

// Worker returns the warm worker for PHP.
func Worker() runtime.Worker {
	return runtime.Worker{
		Interpreter: runtime.PHP, Options: options(), BootstrapName: bootstrapFile, Bootstrap: bootstrap,
		// The variables of PHP and the C library.
		Startup: []string{"PHPRC", "PHP_INI_SCAN_DIR", "USE_ZEND_ALLOC*", "OPENSSL_*", "LANG", "LANGUAGE", "LC_*", "LD_*", "GLIBC_TUNABLES", "MALLOC_*"},
	}
}

// Fingerprint changes with the toolchain and the bootstrap.
func (b *Builder) Fingerprint() (string, error) {
	toolchain, err := b.toolchains.For(runtime.PHP)
	return runtime.Digest(toolchain.Path, toolchain.Version, runtime.CodeDir, string(bootstrap), strings.Join(options(), " ")), err
}

// Build checks the syntax of the handler's file without running it, installs dependencies,
// and writes code and bootstrap to the output.
func (b *Builder) Build(ctx context.Context, build runtime.Build) (runtime.Launch, error) {
	toolchain, err := b.toolchains.For(runtime.PHP)
	if err != nil {
		return runtime.Launch{}, &runtime.BuildError{Message: err.Error()}
	}
	file, err := script.Find(build, []string{".php"})
	if err != nil {
		return runtime.Launch{}, err
	}
	if err := syntax.Check(ctx, toolchain, build, file); err != nil {
		return runtime.Launch{}, err
	}
	if err := b.install(ctx, toolchain, build); err != nil {
		return runtime.Launch{}, err
	}
	if err := script.Lay(build, map[string][]byte{bootstrapFile: bootstrap}); err != nil {
		return runtime.Launch{}, err
	}
	code := path.Join(runtime.DirPlaceholder, runtime.CodeDir)
	return runtime.Launch{
		Interpreter: runtime.PHP,
		Command:     append(options(), path.Join(runtime.DirPlaceholder, bootstrapFile), code, file, build.Handler.Function),
	}, nil
}
