package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// newer are packages that releases of Debian have under another name, since the plain one is
// too old for Jeton's tests.
var newer = map[string]string{"cargo": "cargo-web", "rustc": "rustc-web"}

// unpackAll downloads packages with all their dependencies, as for an empty machine, and
// unpacks them. apt-get verifies their signatures and digests. No maintainer script runs.
func (b *builder) unpackAll(ctx context.Context, root string, packages []string) error {
	files, err := b.download(ctx, packages)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := run(ctx, b.work, "dpkg-deb", "-x", file, root); err != nil {
			return err
		}
	}
	return nil
}

// unpackOnly downloads and unpacks one package without its dependencies, once.
func (b *builder) unpackOnly(ctx context.Context, root, name string) error {
	if _, err := os.Stat(root); err == nil {
		return nil
	}
	files, err := b.download(ctx, []string{name})
	if err != nil {
		return err
	}
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), name+"_") {
			return run(ctx, b.work, "dpkg-deb", "-x", file, root)
		}
	}
	return fmt.Errorf("apt-get did not download %s", name)
}

// list returns the file names of packages and their dependencies, which contain the versions.
// No name means no file.
func (b *builder) list(ctx context.Context, packages []string) ([]string, error) {
	// With an empty folder apt-get lists all packages, also those that are cached.
	none := filepath.Join(b.work, "none")
	if err := os.MkdirAll(filepath.Join(none, "partial"), 0o755); err != nil {
		return nil, err
	}
	listed, err := b.apt(ctx, none, append([]string{"--print-uris", "install"}, packages...)...)
	if err != nil {
		return nil, fmt.Errorf("list packages: %w: run apt-get update", err)
	}
	var files []string
	for scanner := bufio.NewScanner(bytes.NewReader(listed)); scanner.Scan(); {
		if fields := strings.Fields(scanner.Text()); len(fields) >= 3 && strings.HasSuffix(fields[1], ".deb") {
			files = append(files, fields[1])
		}
	}
	slices.Sort(files)
	return files, nil
}

// download returns the files of packages and their dependencies, sorted.
func (b *builder) download(ctx context.Context, packages []string) ([]string, error) {
	archives := filepath.Join(b.cache, "archives")
	if err := os.MkdirAll(filepath.Join(archives, "partial"), 0o755); err != nil {
		return nil, err
	}
	files, err := b.list(ctx, packages)
	if err != nil {
		return nil, err
	}
	if _, err := b.apt(ctx, archives, append([]string{"--download-only", "install"}, packages...)...); err != nil {
		return nil, fmt.Errorf("download packages: %w", err)
	}
	for i, file := range files {
		files[i] = filepath.Join(archives, file)
		if _, err := os.Stat(files[i]); err != nil {
			return nil, fmt.Errorf("download packages: %w", err)
		}
	}
	return files, nil
}

// apt runs apt-get for a machine on which nothing is installed.
func (b *builder) apt(ctx context.Context, archives string, args ...string) ([]byte, error) {
	for i, name := range args {
		if other, known := newer[name]; known && available(ctx, other) {
			args[i] = other
		}
	}
	fixed := []string{
		"-qq", "-y", "--no-install-recommends", "-o", "Dir::State::status=/dev/null", "-o", "Dir::Cache=" + b.work,
		"-o", "Dir::Cache::archives=" + archives, "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=",
	}
	command := exec.CommandContext(ctx, "apt-get", append(fixed, args...)...)
	command.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, errors.Join(err, errors.New(strings.TrimSpace(stderr.String())))
	}
	return output, nil
}

func available(ctx context.Context, name string) bool {
	output, err := exec.CommandContext(ctx, "apt-cache", "policy", name).Output()
	return err == nil && strings.Contains(string(output), "Candidate:") && !strings.Contains(string(output), "Candidate: (none)")
}

func run(ctx context.Context, dir, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(output))
	}
	return nil
}
