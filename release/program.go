package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A program is a released program.
type program struct {
	name, source string
	// manifest is the content of the Terraform registry's manifest, or "".
	manifest string
	// versioned is whether the program's file name contains the version.
	versioned bool
	// unix is whether the program requires unix sockets and process groups.
	unix bool
}

var programs = []program{
	{
		name: "terraform-provider-scaleway", source: "./cmd/terraform-provider-scaleway", versioned: true,
		manifest: `{"version":1,"metadata":{"protocol_versions":["6.0"]}}` + "\n",
	},
	{name: "jeton", source: "./cmd/jeton", unix: true},
}

func (p program) runsOn(on platform) bool { return !p.unix || on.os != "windows" }

// fileName returns the name of the program's file in the archive, as Terraform requires
// it.
func (p program) fileName(version, system string) string {
	name := p.name
	if p.versioned {
		name += "_v" + version
	}
	if system == "windows" {
		name += ".exe"
	}
	return name
}

// archiveName returns the name of a program's archive.
func (r release) archiveName(p program, on platform) string {
	return fmt.Sprintf("%s_%s_%s_%s.zip", p.name, r.version, on.os, on.arch)
}

// pack builds a program for a platform and packs it.
func (r release) pack(ctx context.Context, p program, on platform) error {
	work, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	built := filepath.Join(work, p.name)
	// The flags remove everything that depends on the machine, the folder or the
	// checkout.
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+r.version, "-o", built, p.source)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+on.os, "GOARCH="+on.arch, "GOFLAGS=", "GOAMD64=", "GOARM64=")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return r.writeArchive(r.archiveName(p, on), map[string]string{
		p.fileName(r.version, on.os): built, "LICENSE": "LICENSE", "README.md": "README.md",
	})
}

// epoch is the time of all files in the archives: the earliest in the zip format.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// writeArchive writes an archive of files: name in the archive to path.
func (r release) writeArchive(name string, files map[string]string) (err error) {
	archive, err := os.Create(filepath.Join(r.dir, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	writer := zip.NewWriter(archive)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := addFile(writer, name, files[name]); err != nil {
			return err
		}
	}
	return writer.Close()
}

func addFile(writer *zip.Writer, name, path string) error {
	content, err := os.Open(path)
	if err != nil {
		return err
	}
	defer content.Close()
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o644)
	if filepath.Ext(name) != ".md" && name != "LICENSE" {
		header.SetMode(0o755)
	}
	target, err := writer.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, content)
	return err
}

func (r release) writeManifest(p program) (string, error) {
	file := fmt.Sprintf("%s_%s_manifest.json", p.name, r.version)
	return file, os.WriteFile(filepath.Join(r.dir, file), []byte(p.manifest), 0o644)
}

// writeSums writes the checksums of the files, which the registries verify and sign.
func (r release) writeSums(p program, files []string) error {
	var sums strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(r.dir, file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file)
	}
	return os.WriteFile(filepath.Join(r.dir, fmt.Sprintf("%s_%s_SHA256SUMS", p.name, r.version)), []byte(sums.String()), 0o644)
}
