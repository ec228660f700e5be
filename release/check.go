package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// packagesName is the name of what tools/package makes, in the names of sums.
const packagesName = "packages"

// check checks the files of a finished release: the sums name all of them, each archive has a program
// for its platform, the bills of materials are complete, and the program of this machine runs. As
// root, with dpkg, it installs the Debian package into an empty folder, runs it, and removes it.
func (r release) check(ctx context.Context) error {
	r.version = strings.TrimPrefix(r.version, "v")
	if err := r.checkSums(); err != nil {
		return err
	}
	for _, p := range programs {
		for _, on := range r.platforms {
			if !p.runsOn(on) {
				continue
			}
			if err := r.checkArchive(ctx, p, on); err != nil {
				return fmt.Errorf("%s: %w", r.archiveName(p, on), err)
			}
		}
	}
	for _, arch := range debianArchitectures {
		if err := r.checkBill(arch); err != nil {
			return err
		}
	}
	return r.checkDebian(ctx)
}

// debianArchitectures have a Debian package and a bill of materials.
var debianArchitectures = []string{"amd64", "arm64"}

// expected returns the files of a release by the name of their sums.
func (r release) expected() map[string][]string {
	all := map[string][]string{}
	for _, p := range programs {
		for _, on := range r.platforms {
			if p.runsOn(on) {
				all[p.name] = append(all[p.name], r.archiveName(p, on))
			}
		}
		if p.manifest != "" {
			all[p.name] = append(all[p.name], fmt.Sprintf("%s_%s_manifest.json", p.name, r.version))
		}
	}
	for _, arch := range debianArchitectures {
		all[packagesName] = append(all[packagesName], r.debianName(arch), r.billName(arch))
	}
	return all
}

func (r release) debianName(arch string) string {
	// Debian sorts a version with a tilde before the version without it.
	return fmt.Sprintf("jeton_%s_%s.deb", strings.Replace(r.version, "-", "~", 1), arch)
}

func (r release) billName(arch string) string {
	return fmt.Sprintf("jeton_%s_linux_%s.cdx.json", r.version, arch)
}

// checkSums compares the files with their sums. Each expected file must be listed, and no other.
func (r release) checkSums() error {
	for name, files := range r.expected() {
		sums, err := os.ReadFile(filepath.Join(r.dir, name+"_"+r.version+"_SHA256SUMS"))
		if err != nil {
			return err
		}
		listed := map[string]string{}
		lines := bufio.NewScanner(bytes.NewReader(sums))
		for lines.Scan() {
			sum, file, _ := strings.Cut(lines.Text(), "  ")
			listed[file] = sum
		}
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(r.dir, file))
			if err != nil {
				return err
			}
			if got := fmt.Sprintf("%x", sha256.Sum256(content)); listed[file] != got {
				return fmt.Errorf("%s: the sums of %s have %q, want %s", file, name, listed[file], got)
			}
		}
		if len(listed) != len(files) {
			return fmt.Errorf("the sums of %s list %d files, want %d", name, len(listed), len(files))
		}
	}
	return nil
}

// checkArchive checks the files of an archive, and runs the server of this machine.
func (r release) checkArchive(ctx context.Context, p program, on platform) error {
	archive, err := zip.OpenReader(filepath.Join(r.dir, r.archiveName(p, on)))
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	var names []string
	for _, file := range archive.File {
		names = append(names, file.Name)
	}
	program := p.fileName(r.version, on.os)
	if want := []string{"LICENSE", "README.md", program}; !sameSet(names, want) {
		return fmt.Errorf("it has the files %q, want %q", names, want)
	}
	work, err := os.MkdirTemp("", "release-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	path := filepath.Join(work, program)
	if err := extract(archive, program, path); err != nil {
		return err
	}
	if err := checkPlatform(path, on); err != nil {
		return err
	}
	if p.unix && on.os == runtime.GOOS && on.arch == runtime.GOARCH {
		return r.checkVersion(ctx, path)
	}
	return nil
}

func sameSet(got, want []string) bool {
	left := map[string]bool{}
	for _, name := range want {
		left[name] = true
	}
	for _, name := range got {
		if !left[name] {
			return false
		}
		delete(left, name)
	}
	return len(left) == 0
}

func extract(archive *zip.ReadCloser, name, path string) (err error) {
	content, err := archive.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	target, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, content)
	return errors.Join(err, target.Close())
}

// checkPlatform checks the platform that the compiler recorded in a program, and that the program
// needs no C library.
func checkPlatform(path string, on platform) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != on.os || settings["GOARCH"] != on.arch || settings["CGO_ENABLED"] != "0" {
		return fmt.Errorf("the program is for %s/%s, cgo %s", settings["GOOS"], settings["GOARCH"], settings["CGO_ENABLED"])
	}
	return nil
}

// checkVersion runs a server's program.
func (r release) checkVersion(ctx context.Context, path string) error {
	output, err := exec.CommandContext(ctx, path, "version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s: %w: %s", path, err, output)
	}
	if !strings.Contains(string(output), r.version) {
		return fmt.Errorf("%s prints the version %q, want %s", path, output, r.version)
	}
	return nil
}

// checkBill compares a bill of materials with the modules in the program.
func (r release) checkBill(arch string) error {
	content, err := os.ReadFile(filepath.Join(r.dir, r.billName(arch)))
	if err != nil {
		return err
	}
	var bill struct {
		Format     string `json:"bomFormat"`
		Components []struct {
			URL string `json:"purl"`
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &bill); err != nil {
		return fmt.Errorf("%s: %w", r.billName(arch), err)
	}
	archive, err := zip.OpenReader(filepath.Join(r.dir, r.archiveName(program{name: "jeton"}, platform{"linux", arch})))
	if err != nil {
		return err
	}
	defer func() { _ = archive.Close() }()
	work, err := os.MkdirTemp("", "release-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	path := filepath.Join(work, "jeton")
	if err := extract(archive, "jeton", path); err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, component := range bill.Components {
		listed[component.URL] = true
	}
	for _, module := range info.Deps {
		if url := fmt.Sprintf("pkg:golang/%s@%s", module.Path, module.Version); module.Replace == nil && !listed[url] {
			return fmt.Errorf("%s does not list %s", r.billName(arch), url)
		}
	}
	// The standard library is a component, too.
	if bill.Format != "CycloneDX" || len(bill.Components) != len(info.Deps)+1 {
		return fmt.Errorf("%s: got format %q and %d components, want CycloneDX and %d", r.billName(arch), bill.Format, len(bill.Components), len(info.Deps)+1)
	}
	return nil
}
