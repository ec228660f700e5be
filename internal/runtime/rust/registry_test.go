//go:build slow

package rust_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
	"github.com/jeton-dev/jeton/internal/runtime/rust"
	registry "github.com/jeton-dev/jeton/test/crates"
)

// The function requires a future version of the compiler. Cargo checks that after all
// downloads, so that the test need not compile the crates.
func TestSlowRegistry(t *testing.T) {
	t.Parallel()
	served := registry.Serve(t, crates(t), "127.0.0.1")
	b := rust.New(rust.Config{Crates: served.URL, Timeout: 5 * time.Minute}, runtimetest.Toolchains(t))
	message := runtimetest.BuildFails(t, b, runtime.Rust, "handle", map[string]string{
		"Cargo.toml":     "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2021\"\nrust-version = \"1.999\"\n[lib]\npath = \"src/handler.rs\"\n",
		"src/handler.rs": "pub fn handle() {}\n",
	})
	if !strings.Contains(message, "rustc 1.999") {
		t.Errorf("got message %q, want the version of the compiler", message)
	}
	for _, name := range []string{"axum", "tokio", "http"} {
		if !served.Downloaded(name) {
			t.Errorf("got no download of %s from the registry", name)
		}
	}
}
