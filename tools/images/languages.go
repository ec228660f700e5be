package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// certificates writes the bundle of certificate authorities that the maintainer script of
// ca-certificates would write.
func certificates(ctx context.Context, b *builder, root string) error {
	unpacked := filepath.Join(b.work, "ca-certificates")
	if err := b.unpackOnly(ctx, unpacked, "ca-certificates"); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(unpacked, "usr/share/ca-certificates/mozilla/*.crt"))
	if err != nil || len(files) == 0 {
		return errors.Join(err, errors.New("the package ca-certificates has no certificates"))
	}
	slices.Sort(files)
	var bundle bytes.Buffer
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		bundle.Write(content)
	}
	return write(filepath.Join(root, "etc/ssl/certs/ca-certificates.crt"), bundle.Bytes(), 0o644)
}

//go:embed node/package.json node/package-lock.json
var nodePackages embed.FS

// nodeProgram installs Node from npm, with the version and the digest of the lock file.
// Debian's own is older than the versions that the npm registry supports.
func nodeProgram(ctx context.Context, b *builder, root string) error {
	dir := filepath.Join(b.cache, "node")
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := nodePackages.ReadFile("node/" + name)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	if err := run(ctx, dir, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"); err != nil {
		return err
	}
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	program, err := os.ReadFile(filepath.Join(dir, "node_modules/node-linux-"+arch+"/bin/node"))
	if err != nil {
		return err
	}
	return write(filepath.Join(root, "usr/bin/node"), program, 0o755)
}

// phpExtensions enables the extensions of PHP's packages and selects the version, as their
// maintainer scripts would.
func phpExtensions(_ context.Context, _ *builder, root string) error {
	programs, err := filepath.Glob(filepath.Join(root, "usr/bin/php[0-9]*.[0-9]*"))
	if err != nil || len(programs) != 1 {
		return fmt.Errorf("find PHP: %d programs: %w", len(programs), err)
	}
	program := filepath.Base(programs[0])
	version := strings.TrimPrefix(program, "php")
	settings := filepath.Join(root, "etc/php", version, "cli")
	main, err := os.ReadFile(filepath.Join(root, "usr/lib/php", version, "php.ini-production.cli"))
	if err != nil {
		return err
	}
	if err := errors.Join(write(filepath.Join(settings, "php.ini"), main, 0o644), link(program, filepath.Join(root, "usr/bin/php"))); err != nil {
		return err
	}
	extensions, err := filepath.Glob(filepath.Join(root, "usr/share", program+"-*", "*", "*.ini"))
	if err != nil {
		return err
	}
	for _, extension := range extensions {
		content, err := os.ReadFile(extension)
		if err != nil {
			return err
		}
		name := "20-" + filepath.Base(extension)
		if _, priority, found := bytes.Cut(content, []byte("priority=")); found {
			digits := bytes.Fields(priority)
			name = string(digits[0]) + "-" + filepath.Base(extension)
		}
		if err := write(filepath.Join(settings, "conf.d", name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// goToolchain copies the Go toolchain that builds Jeton. It comes from the module proxy and is
// verified with the checksum database.
func goToolchain(ctx context.Context, b *builder, root string) error {
	module := fmt.Sprintf("golang.org/toolchain@v0.0.1-%s.linux-%s", runtime.Version(), runtime.GOARCH)
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	command.Dir, command.Stderr = b.work, os.Stderr
	output, err := command.Output()
	if err != nil {
		return fmt.Errorf("download %s: %w", module, err)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(output, &downloaded); err != nil {
		return err
	}
	target := filepath.Join(root, "usr/local/go")
	err = fs.WalkDir(os.DirFS(downloaded.Dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			// The tests of the toolchain are a third of it.
			if path == "test" || path == "api" || entry.Name() == "testdata" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(target, path), 0o755)
		}
		content, err := os.ReadFile(filepath.Join(downloaded.Dir, path))
		if err != nil {
			return err
		}
		// Modules have no executable files.
		mode := os.FileMode(0o644)
		if strings.HasPrefix(path, "bin/") || strings.HasPrefix(path, "pkg/tool/") {
			mode = 0o755
		}
		return os.WriteFile(filepath.Join(target, path), content, mode)
	})
	if err != nil {
		return err
	}
	return link("../local/go/bin/go", filepath.Join(root, "usr/bin/go"))
}

// cLinker selects the C compiler that rustc runs to link, as the maintainer script of gcc would.
func cLinker(_ context.Context, _ *builder, root string) error {
	return link("gcc", filepath.Join(root, "usr/bin/cc"))
}
