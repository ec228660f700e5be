package php_test

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
	"github.com/jeton-dev/jeton/test/deploy"
)

// TestComposer has the autoloader made that composer.json describes, which needs
// no package of elsewhere.
func TestComposer(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.php":   "<?php function handle($e, $c) { return App\\Text::SAID; }",
		"src/Text.php":  "<?php namespace App; class Text { const SAID = 'loaded by composer'; }",
		"composer.json": `{"autoload": {"psr-4": {"App\\": "src/"}}, "scripts": {"post-autoload-dump": "false"}}`,
	})
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "loaded by composer" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

// TestComposerDownloads has composer get a package from a repository, over HTTPS
// with an authority that the server's variables name.
func TestComposerDownloads(t *testing.T) {
	repository := repositoryOf(t, map[string]string{
		"text/composer.json": `{"name": "jeton/text", "autoload": {"psr-4": {"Text\\": ""}}}`,
		"text/Said.php":      "<?php namespace Text; class Said { const IT = 'downloaded'; }",
	})
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($e, $c) { return Text\\Said::IT; }",
		"composer.json": `{"require": {"jeton/text": "^1.0"}, "repositories": [{"packagist.org": false}, {"type": "composer", "url": "` +
			repository + `"}]}`,
	})
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "downloaded" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

// repositoryOf serves version 1.0.0 of jeton/text, and returns the address.
func repositoryOf(t *testing.T, files map[string]string) string {
	t.Helper()
	archive, err := deploy.Archive(files)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(archive)
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("GET /packages.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"packages": map[string]any{"jeton/text": map[string]any{"1.0.0": map[string]any{
			"name": "jeton/text", "version": "1.0.0", "autoload": map[string]any{"psr-4": map[string]string{`Text\`: ""}},
			"dist": map[string]string{"type": "zip", "url": server.URL + "/text.zip", "shasum": hex.EncodeToString(sum[:])},
		}}}})
	})
	mux.HandleFunc("GET /text.zip", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
	authority := filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", authority)
	return server.URL
}
