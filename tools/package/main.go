// Command package makes Debian packages and bills of materials from the archives of `make
// release`. The same archives result in the same bytes.
package main

import (
	"archive/zip"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	var p packages
	flag.StringVar(&p.version, "version", "", "the version, such as 1.2.3")
	flag.StringVar(&p.dir, "dir", "", "the folder with the archives, to which the packages are written")
	arch := flag.String("arch", "amd64,arm64", "the architectures, separated by commas")
	flag.StringVar(&p.source, "source", "", "the folder of the project")
	flag.Parse()
	p.architectures = strings.Split(*arch, ",")
	if err := p.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// packages are the packages of one version. The names of architectures are Go's, and Debian's too.
type packages struct {
	version, dir, source string
	architectures        []string
}

func (p packages) run(out io.Writer) error {
	p.version = strings.TrimPrefix(p.version, "v")
	if p.version == "" || p.dir == "" || p.source == "" {
		return errors.New("-version, -dir and -source are required")
	}
	work, err := os.MkdirTemp("", "package-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	shared, err := p.generated(work)
	if err != nil {
		return err
	}
	var files []string
	for _, arch := range p.architectures {
		server, err := p.unpack(work, "jeton", arch)
		if err != nil {
			return err
		}
		provider, err := p.unpack(work, "terraform-provider-scaleway", arch)
		if err != nil {
			return err
		}
		made, err := p.debian(arch, server, provider, shared)
		if err != nil {
			return fmt.Errorf("Debian package for %s: %w", arch, err)
		}
		bill, err := p.bill(arch, server)
		if err != nil {
			return fmt.Errorf("bill of materials for %s: %w", arch, err)
		}
		files = append(files, made, bill)
	}
	for _, file := range files {
		fmt.Fprintln(out, file)
	}
	return p.writeSums(files)
}

// unpack writes a program of an archive to work and returns its path.
func (p packages) unpack(work, program, arch string) (path string, err error) {
	archive, err := zip.OpenReader(filepath.Join(p.dir, fmt.Sprintf("%s_%s_linux_%s.zip", program, p.version, arch)))
	if err != nil {
		return "", fmt.Errorf("open the archive of `make release`: %w", err)
	}
	defer archive.Close()
	for _, file := range archive.File {
		if !strings.HasPrefix(file.Name, program) {
			continue
		}
		content, err := file.Open()
		if err != nil {
			return "", err
		}
		defer content.Close()
		path = filepath.Join(work, program+"-"+arch)
		target, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(target, content)
		return path, errors.Join(err, target.Close())
	}
	return "", fmt.Errorf("archive of %s for %s has no program", program, arch)
}

// writeSums writes the checksums of the files.
func (p packages) writeSums(files []string) error {
	var sums strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(p.dir, file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), file)
	}
	return os.WriteFile(filepath.Join(p.dir, "packages_"+p.version+"_SHA256SUMS"), []byte(sums.String()), 0o644)
}
