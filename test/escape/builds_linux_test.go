//go:build escape

package escape_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/escape"
)

// tryBuilds builds hostile archives on a server with an isolation level.
func tryBuilds(t *testing.T, level sandbox.Level) []escape.Outcome {
	t.Helper()
	cache := t.TempDir()
	f, jeton := newFixture(t, level, func(c *server.Config) { c.CacheDir, c.ShareRustBuilds = cache, false })
	t.Setenv("HTTPS_PROXY", "http://user:hunter22@proxy.invalid:3128")
	builds := &escape.Builds{API: f.api, NamespaceID: f.namespaceID, Targets: f.targets, CacheDir: cache, DataDir: jeton.DataDir}
	outcomes, err := builds.Try(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

func TestBuilds_CannotEscape(t *testing.T) { wantBlocked(t, tryBuilds(t, sandbox.Full)) }

// TestBuilds_EscapeWithoutIsolation runs the same build script without isolation: the
// attempts that only isolation prevents must succeed.
func TestBuilds_EscapeWithoutIsolation(t *testing.T) {
	prevented := []string{"file", "code", "cache", "base", "tcp", "host", "path", "git"}
	for _, o := range tryBuilds(t, sandbox.None) {
		if name, isScript := scriptAttempt(o); isScript && slices.Contains(prevented, name) && !o.Succeeded {
			t.Errorf("%s: got %q, want success", o.Attempt, o.Answer)
		}
	}
}

// scriptAttempt returns the name of a build script's attempt.
func scriptAttempt(o escape.Outcome) (name string, isScript bool) {
	const suffix = " in a build"
	if o.Language != "rust" || len(o.Attempt) < len(suffix) {
		return "", false
	}
	return o.Attempt[:len(o.Attempt)-len(suffix)], true
}
