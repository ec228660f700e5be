//go:build escape

package escape_test

import (
	"slices"
	"testing"

	"github.com/jeton-dev/jeton/internal/sandbox"
	"github.com/jeton-dev/jeton/internal/server"
	"github.com/jeton-dev/jeton/test/escape"
)

// tryBuilds has hostile archives built by a server at a level of isolation.
func tryBuilds(t *testing.T, level sandbox.Level) []escape.Outcome {
	t.Helper()
	cache := t.TempDir()
	s, jeton := newScene(t, level, func(c *server.Config) { c.CacheDir, c.ShareRustBuilds = cache, false })
	t.Setenv("HTTPS_PROXY", "http://user:hunter22@proxy.invalid:3128")
	builds := &escape.Builds{API: s.api, NamespaceID: s.namespaceID, Bait: s.bait, CacheDir: cache, DataDir: jeton.DataDir}
	outcomes, err := builds.Try(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// TestBuilds has the builds of hostile archives try to get out, and get nowhere.
func TestBuilds(t *testing.T) { wantClosed(t, tryBuilds(t, sandbox.Full)) }

// TestBuilds_NothingStopsThem runs the same build script without walls: it must find
// open what only walls close.
func TestBuilds_NothingStopsThem(t *testing.T) {
	open := []string{"file", "code", "cache", "base", "tcp", "host", "path", "git"}
	for _, o := range tryBuilds(t, sandbox.None) {
		if name, isScript := cutBuild(o); isScript && slices.Contains(open, name) && !o.Open {
			t.Errorf("%s had no success: %s", o.Attempt, o.Met)
		}
	}
}

func cutBuild(o escape.Outcome) (name string, isScript bool) {
	const suffix = " in a build"
	if o.Language != "rust" || len(o.Attempt) < len(suffix) {
		return "", false
	}
	return o.Attempt[:len(o.Attempt)-len(suffix)], true
}
