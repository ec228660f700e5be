package languages

import (
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/golang"
	"github.com/jeton-dev/jeton/internal/runtime/node"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/python"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
)

// Config configures builders. Go.Base is required.
type Config struct {
	// Go and Rust configure the builders of these languages. Their timeouts are not used.
	Go   golang.Config
	Rust rust.Config
	// Timeout is the maximum time of a build. Zero means the default of each language.
	Timeout time.Duration
}

// Builders returns the builders of all languages.
func Builders(c Config, toolchains *runtime.Toolchains) runtime.Builders {
	c.Go.Timeout, c.Rust.Timeout = c.Timeout, c.Timeout
	return runtime.Builders{
		runtime.Go:     golang.New(c.Go, toolchains),
		runtime.Node:   node.New(toolchains),
		runtime.Python: python.New(toolchains),
		runtime.PHP:    php.New(php.Config{Timeout: c.Timeout}, toolchains),
		runtime.Rust:   rust.New(c.Rust, toolchains),
	}
}

// Workers returns the interpreters that can start before their function is known, by language.
func Workers() map[string]runtime.Worker {
	return map[string]runtime.Worker{runtime.Node: node.Worker(), runtime.Python: python.Worker(), runtime.PHP: php.Worker()}
}

// Bootstraps returns the files that the interpreter of a language runs before its function is
// known, by name; nil for other languages.
func Bootstraps(language string) map[string][]byte {
	worker, ok := Workers()[language]
	if !ok {
		return nil
	}
	return map[string][]byte{worker.BootstrapName: worker.Bootstrap}
}
