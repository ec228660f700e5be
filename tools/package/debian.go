package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

// packed is the time of all files, so that packages are reproducible.
var packed = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// generated writes the manual pages and completion scripts to a folder. They are the same for
// all architectures; the program of this machine's architecture writes them.
func (p packages) generated(work string) (*files.Contents, error) {
	program, err := p.unpack(work, "jeton", runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	manual := filepath.Join(work, "man1")
	if output, err := exec.Command(program, "man", manual).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("write manual pages: %w: %s", err, output)
	}
	pages, err := filepath.Glob(filepath.Join(manual, "*.1"))
	if err != nil {
		return nil, err
	}
	var contents files.Contents
	for _, page := range pages {
		contents = append(contents, file(page, "/usr/share/man/man1/"+filepath.Base(page), 0o644))
	}
	for shell, path := range map[string]string{
		"bash": "/usr/share/bash-completion/completions/jeton",
		"fish": "/usr/share/fish/vendor_completions.d/jeton.fish",
		"zsh":  "/usr/share/zsh/vendor-completions/_jeton",
	} {
		script, err := exec.Command(program, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("write the completion of %s: %w", shell, err)
		}
		written := filepath.Join(work, shell)
		if err := os.WriteFile(written, script, 0o644); err != nil {
			return nil, err
		}
		contents = append(contents, file(written, path, 0o644))
	}
	return &contents, nil
}

// file returns a file of a package.
func file(source, destination string, mode os.FileMode) *files.Content {
	return &files.Content{
		Source: source, Destination: destination,
		FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: packed},
	}
}

// debian writes a Debian package and returns its name.
func (p packages) debian(arch, server, provider string, shared *files.Contents) (string, error) {
	contents := files.Contents{
		file(server, "/usr/bin/jeton", 0o755),
		file(provider, "/usr/bin/terraform-provider-scaleway", 0o755),
		file(filepath.Join(p.source, "deploy/systemd/jeton.service"), "/lib/systemd/system/jeton.service", 0o644),
		file(filepath.Join(p.source, "docs/jeton.yaml"), "/usr/share/doc/jeton/examples/jeton.yaml", 0o644),
		file(filepath.Join(p.source, "LICENSE"), "/usr/share/doc/jeton/copyright", 0o644),
	}
	settings := file(filepath.Join(p.source, "deploy/debian/jeton.yaml"), "/etc/jeton/jeton.yaml", 0o644)
	settings.Type = files.TypeConfigNoReplace
	contents = append(append(contents, settings), *shared...)
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: "jeton", Arch: arch, Platform: "linux", Version: p.version, Section: "net", Priority: "optional",
		Maintainer: "The Jeton authors <jeton@jeton.dev>", Homepage: "https://github.com/jeton-dev/jeton", License: "Apache-2.0",
		Description: "Self-hosted serverless functions with revocable tokens\n" +
			"Jeton implements Scaleway's Functions API. Private functions accept only tokens\nissued for them. Functions run in sandboxes.",
		MTime: packed,
		Overridables: nfpm.Overridables{
			Contents:   contents,
			Recommends: []string{"e2fsprogs"},
			Suggests:   []string{"nodejs", "python3", "php-cli", "golang-go", "cargo"},
			Scripts: nfpm.Scripts{
				PostInstall: filepath.Join(p.source, "deploy/debian/postinst"), PreRemove: filepath.Join(p.source, "deploy/debian/prerm"),
			},
		},
	})
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return "", err
	}
	name := deb.Default.ConventionalFileName(info)
	target, err := os.Create(filepath.Join(p.dir, name))
	if err != nil {
		return "", err
	}
	if err := deb.Default.Package(info, target); err != nil {
		_ = target.Close()
		return "", err
	}
	return name, target.Close()
}
