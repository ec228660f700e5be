package escape

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	function "github.com/scaleway/scaleway-sdk-go/api/function/v1beta1"

	"github.com/jeton-dev/jeton/internal/output"
	"github.com/jeton-dev/jeton/test/deploy"
)

//go:embed builds/build.rs.txt
var buildScript string

// otherProject is the project whose cache the builds must not reach.
const otherProject = "f0e16000-0000-4000-8000-000000000002"

// Builds deploys hostile archives, whose builds try to escape.
type Builds struct {
	API         *function.API
	NamespaceID string
	Targets     *Targets
	// CacheDir and DataDir are the server's folders.
	CacheDir, DataDir string
}

// Try deploys the archives, and returns the outcomes of their attempts.
func (b *Builds) Try(ctx context.Context) ([]Outcome, error) {
	otherCache := filepath.Join(b.CacheDir, "projects", otherProject, "composer")
	for _, dir := range []string{otherCache, filepath.Join(b.CacheDir, "base")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	defer os.RemoveAll(filepath.Dir(otherCache))
	var outcomes []Outcome
	for _, try := range []func(context.Context, string, string) ([]Outcome, error){b.tryGit, b.tryScript, b.tryDisk} {
		marker := "jeton-escaped-" + rand.Text()
		found, err := try(ctx, marker, otherCache)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, found...)
	}
	return outcomes, nil
}

// tryGit deploys an archive with a git configuration that names a program. Build tools
// that run git in the folder would run that program, with network and cache.
func (b *Builds) tryGit(ctx context.Context, marker, _ string) ([]Outcome, error) {
	files := map[string]string{
		"handler.php":   "<?php function handle($event, $context) { return 'built'; }\n",
		"composer.json": `{"autoload": {"psr-4": {"App\\": "src/"}}}`,
		"run.sh":        "find / -type d -writable -not -path '/proc/*' 2>/dev/null | while read dir; do echo x > \"$dir/" + marker + "\"; done\n",
	}
	for _, dir := range []string{".git/", "src/.git/", ""} {
		files[dir+"HEAD"] = "ref: refs/heads/main\n"
		files[dir+"refs/heads/main"] = strings.Repeat("1", 40) + "\n"
		files[dir+"objects/info/none"] = ""
		files[dir+"config"] = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = origin\n[remote \"origin\"]\n" +
			"\turl = .\n\tpromisor = true\n\tuploadpack = \"sh ./run.sh; sh ../run.sh; git-upload-pack\"\n"
	}
	if _, err := b.deploy(ctx, "escape-git", "php85", "handler.handle", files); err != nil {
		return nil, err
	}
	path, err := b.find(marker, func(fs.FileMode) bool { return true })
	return []Outcome{{Language: "php", Attempt: "git in a build", Succeeded: path != "", Answer: fmt.Sprintf("file of the program: %q", path)}}, err
}

var attempted = regexp.MustCompile(`(?m)^\s*attempt (\w+): (OPEN|blocked.*)$`)

// tryScript deploys a crate with a hostile build script.
func (b *Builds) tryScript(ctx context.Context, marker, otherCache string) ([]Outcome, error) {
	log, _, err := b.runScript(ctx, "escape-script", marker, otherCache, false)
	if err != nil {
		return nil, err
	}
	var outcomes []Outcome
	seen := map[string]bool{}
	for _, found := range attempted.FindAllStringSubmatch(log, -1) {
		if seen[found[1]] {
			continue // The end of the log repeats the lines.
		}
		seen[found[1]] = true
		outcomes = append(outcomes, Outcome{Language: "rust", Attempt: found[1] + " in a build", Succeeded: found[2] == "OPEN", Answer: found[2]})
	}
	if len(outcomes) == 0 {
		return nil, fmt.Errorf("read attempts of the build script: got none in the log:\n%s", log)
	}
	path, err := b.find(marker, func(mode fs.FileMode) bool { return mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 })
	return append(outcomes, Outcome{Language: "rust", Attempt: "setuid of a build", Succeeded: path != "", Answer: fmt.Sprintf("set-user-id file: %q", path)}), err
}

// tryDisk deploys a crate with a build script that makes more folders than allowed.
func (b *Builds) tryDisk(ctx context.Context, marker, otherCache string) ([]Outcome, error) {
	log, message, err := b.runScript(ctx, "escape-disk", marker, otherCache, true)
	if err != nil {
		return nil, err
	}
	o := Outcome{Language: "rust", Attempt: "disk in a build", Succeeded: strings.Contains(log, "attempt disk: OPEN"), Answer: message}
	if !strings.Contains(message, "files and folders") {
		o.NextCall = "an error message without the limit: " + message
	}
	return []Outcome{o}, nil
}

// runScript deploys a crate with the build script, which always fails. It returns the
// build log and the error message of the function.
func (b *Builds) runScript(ctx context.Context, name, marker, otherCache string, fill bool) (log, message string, err error) {
	query := b.Targets.query
	text := strings.NewReplacer(
		"@marker@", marker, "@fill@", fmt.Sprint(fill), "@foreign@", otherCache, "@base@", filepath.Join(b.CacheDir, "base"),
		"@file@", query.Get("file"), "@code@", query.Get("code"), "@tcp@", query.Get("tcp"), "@host@", query.Get("host"), "@path@", query.Get("path"),
	).Replace(buildScript)
	f, err := b.deploy(ctx, name, "rust196", "handle", map[string]string{
		"Cargo.toml":     "[package]\nname = \"hostile\"\nversion = \"0.1.0\"\nedition = \"2021\"\nbuild = \"build.rs\"\n[lib]\npath = \"src/handler.rs\"\n",
		"src/handler.rs": "pub fn handle() {}\n", "build.rs": text,
	})
	if f == nil || f.Status != function.FunctionStatusError {
		return "", "", errors.Join(err, errors.New("build a crate with a failing script: the function is not in status error"))
	}
	log, _, err = output.BuildLog(filepath.Join(b.DataDir, output.Dir), f.ID)
	if f.ErrorMessage != nil {
		message = *f.ErrorMessage
	}
	return log, message, err
}

func (b *Builds) deploy(ctx context.Context, name, runtime, handler string, files map[string]string) (*function.Function, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	return deploy.Function(ctx, b.API, &function.CreateFunctionRequest{
		NamespaceID: b.NamespaceID, Name: name, Runtime: function.FunctionRuntime(runtime), Handler: &handler, Privacy: function.FunctionPrivacyPublic,
	}, files)
}

// find returns the path of a file in the server's folders with the given name and a mode
// that matches; "" if there is none.
func (b *Builds) find(name string, matches func(fs.FileMode) bool) (string, error) {
	found := ""
	for _, dir := range []string{b.CacheDir, b.DataDir} {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || entry.Name() != name {
				return err
			}
			info, err := entry.Info()
			if err == nil && matches(info.Mode()) {
				found = path
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return found, nil
}
