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
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/php"
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

// TestComposer_RunsNothingOfTheArchive has folders of version control in the archive
// whose settings name a program, in the two forms that git takes, for the archive
// itself and for a package in it.
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
		t.Errorf("the build ran what the archive names: %v", err)
	}
	if got := runtimetest.Start(t, built).Do(t, runtimetest.Call{}); got.Body != "local" {
		t.Errorf("answer is %d %q", got.Status, got.Body)
	}
}

// hostileRepository are the files of one of git's in which an object is missing that
// git fetches by a program that the settings name.
func hostileRepository(trace string) map[string]string {
	return map[string]string{
		"HEAD":            "ref: refs/heads/main\n",
		"refs/heads/main": "1111111111111111111111111111111111111111\n",
		"objects/info/x":  "",
		"config": "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n" +
			"\turl = .\n\tpromisor = true\n\tuploadpack = \"touch " + trace + "; git-upload-pack\"\n",
	}
}

// TestComposer_OfflineSaysWhy has no network for builds.
func TestComposer_OfflineSaysWhy(t *testing.T) {
	t.Parallel()
	toolchains := runtimetest.Toolchains(t)
	toolchains.Isolate(nil, nil)
	b := php.New(php.Config{Timeout: time.Minute}, toolchains)
	message := runtimetest.BuildFails(t, b, runtime.PHP, "handler.handle", map[string]string{
		"handler.php": "<?php function handle($e, $c) {}", "composer.json": `{"require": {"some/package": "^1"}}`,
	})
	if !strings.Contains(message, "--egress=none") || !strings.Contains(message, "vendor") {
		t.Errorf("the message is %q, want why nothing is downloaded and what to do", message)
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
