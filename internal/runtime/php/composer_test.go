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
	"strings"
	"testing"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/php"
	"github.com/jeton-dev/jeton/internal/runtime/runtimetest"
	"github.com/jeton-dev/jeton/test/deploy"
)

// The autoloader of composer.json needs no package.
func TestComposer_WritesAutoloader(t *testing.T) {
	t.Parallel()
	built := language.Build(t, "handler.handle", map[string]string{
		"handler.php":   "<?php function handle($e, $c) { return App\\Text::SAID; }",
		"src/Text.php":  "<?php namespace App; class Text { const SAID = 'loaded by composer'; }",
		"composer.json": `{"autoload": {"psr-4": {"App\\": "src/"}}, "scripts": {"post-autoload-dump": "false"}}`,
	})
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "loaded by composer" {
		t.Errorf("got %d %q from the function", got.Status, got.Body)
	}
}

// The repository has a certificate of an authority that the server's variables name.
func TestComposer_DownloadsOverHTTPS(t *testing.T) {
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
		t.Errorf("got %d %q from the function", got.Status, got.Body)
	}
}

// The archive and a package in it contain git repositories, with and without a work tree,
// whose settings name a program.
func TestComposer_RunsNothingOfTheArchive(t *testing.T) {
	t.Parallel()
	trace := filepath.Join(t.TempDir(), "trace")
	files := map[string]string{
		"handler.php":                 "<?php function handle($e, $c) { return P\\A::IT; }",
		"composer.json":               `{"require": {"local/p": "*"}, "repositories": [{"packagist.org": false}, {"type": "path", "url": "packages/*"}]}`,
		"packages/p/composer.json":    `{"name": "local/p", "version": "1.0.0", "autoload": {"psr-4": {"P\\": "src"}}}`,
		"packages/p/src/A.php":        "<?php namespace P; class A { const IT = 'local'; }",
		"packages/q/composer.json":    `{"name": "local/q"}`,
		"packages/q/src/Nothing.php":  "<?php",
		"packages/p/src/.gitkeep":     "",
		"packages/p/vendor/.gitkeep":  "",
		"packages/q/vendor/README.md": "",
	}
	for _, dir := range []string{".git/", "", "packages/p/.git/", "packages/q/"} {
		for name, text := range hostileRepository(trace) {
			files[dir+name] = text
		}
	}
	built := language.Build(t, "handler.handle", files)
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Errorf("the build ran a program that the archive names: %v", err)
	}
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "local" {
		t.Errorf("got %d %q from the function", got.Status, got.Body)
	}
}

// hostileRepository returns the files of a git repository with a missing object, which git
// fetches with a program that the settings name.
func hostileRepository(trace string) map[string]string {
	return map[string]string{
		"HEAD":            "ref: refs/heads/main\n",
		"refs/heads/main": "1111111111111111111111111111111111111111\n",
		"objects/info/x":  "",
		"config": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n" +
			"\turl = .\n\tpromisor = true\n\tuploadpack = \"touch " + trace + "; git-upload-pack\"\n",
	}
}

func TestComposer_ExplainsOffline(t *testing.T) {
	t.Parallel()
	toolchains := runtimetest.Toolchains(t)
	toolchains.Isolate(nil, nil)
	b := php.New(php.Config{}, toolchains)
	message := runtimetest.BuildFails(t, b, runtime.PHP, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($e, $c) {}", "composer.json": `{"require": {"some/package": "^1"}}`,
	})
	if !strings.Contains(message, "--egress=none") || !strings.Contains(message, "vendor") {
		t.Errorf("got message %q, want the cause and what to do", message)
	}
}

// repositoryOf starts a repository with version 1.0.0 of jeton/text, and returns its URL.
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
