package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// checkDebian installs the package of this machine's architecture into an empty folder, runs the
// program, and purges the package. Without root or dpkg it prints that the check is missing.
func (r release) checkDebian(ctx context.Context) error {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil || os.Geteuid() != 0 {
		_, err := fmt.Fprintln(r.out, "not checked: the installation of the Debian package requires root and dpkg")
		return err
	}
	root, err := os.MkdirTemp("", "release-root-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	admin := filepath.Join(root, "var/lib/dpkg")
	if err := errors.Join(os.MkdirAll(filepath.Join(admin, "info"), 0o755), os.MkdirAll(filepath.Join(admin, "updates"), 0o755),
		os.WriteFile(filepath.Join(admin, "status"), nil, 0o644)); err != nil {
		return err
	}
	run := func(arguments ...string) error {
		// The empty folder has no shell for the scripts of the package.
		command := exec.CommandContext(ctx, dpkg, append([]string{"--root=" + root, "--force-script-chrootless", "--log=/dev/null"}, arguments...)...)
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("dpkg %s: %w\n%s", strings.Join(arguments, " "), err, output)
		}
		return nil
	}
	if err := run("--install", filepath.Join(r.dir, r.debianName(runtime.GOARCH))); err != nil {
		return err
	}
	for path, mode := range map[string]fs.FileMode{
		"usr/bin/jeton": 0o755, "usr/bin/terraform-provider-scaleway": 0o755, "lib/systemd/system/jeton.service": 0o644,
		"etc/jeton/jeton.yaml": 0o644, "usr/share/man/man1/jeton-serve.1": 0o644,
		"usr/share/bash-completion/completions/jeton": 0o644, "usr/share/zsh/vendor-completions/_jeton": 0o644,
		"usr/share/fish/vendor_completions.d/jeton.fish": 0o644,
	} {
		info, err := os.Stat(filepath.Join(root, path))
		if err != nil {
			return fmt.Errorf("installed package: %w", err)
		}
		if info.Mode() != mode || info.Size() == 0 {
			return fmt.Errorf("installed package: %s has mode %v and %d bytes, want mode %v", path, info.Mode(), info.Size(), mode)
		}
	}
	if err := r.checkVersion(ctx, filepath.Join(root, "usr/bin/jeton")); err != nil {
		return err
	}
	if err := run("--purge", "jeton"); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !strings.HasPrefix(path, admin) {
			err = fmt.Errorf("a purged package leaves %s", path)
		}
		return err
	})
}
