// Command release is `make release`. It builds the provider and the server for all
// platforms, and packs them in the format of the registries and of Terraform's mirrors.
// The build is reproducible: the same source and version produce the same bytes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	r := release{platforms: allPlatforms, out: os.Stdout}
	flag.StringVar(&r.version, "version", "", "the version, such as 1.2.3")
	flag.StringVar(&r.dir, "dir", "dist", "the folder to write to")
	check := flag.Bool("check", false, "check the files of a finished release instead of making one")
	flag.Parse()
	do := r.run
	if *check {
		do = r.check
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// A platform is an operating system and an architecture, with Go's names.
type platform struct{ os, arch string }

var allPlatforms = func() (all []platform) {
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		for _, arch := range []string{"amd64", "arm64"} {
			all = append(all, platform{system, arch})
		}
	}
	return all
}()

// A release has a version, platforms, and a folder to write to.
type release struct {
	version, dir string
	// out receives the names of the archives. Several goroutines write to it.
	out       io.Writer
	platforms []platform
}

// semantic matches the versions that Terraform's registries accept.
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

func (r release) run(ctx context.Context) error {
	r.version = strings.TrimPrefix(r.version, "v")
	if !semantic.MatchString(r.version) {
		return fmt.Errorf("version %q is malformed: pass -version with a version such as 1.2.3", r.version)
	}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	files, err := r.packAll(ctx)
	if err != nil {
		return err
	}
	for i, p := range programs {
		if p.manifest != "" {
			file, err := r.writeManifest(p)
			if err != nil {
				return err
			}
			files[i] = append(files[i], file)
		}
		if err := r.writeSums(p, files[i]); err != nil {
			return err
		}
	}
	return nil
}

// packAll builds and packs all programs for all platforms, and returns the names of the archives by
// program. The linker and the compression use one processor, so that several builds run at once.
func (r release) packAll(ctx context.Context) ([][]string, error) {
	files := make([][]string, len(programs))
	for i, p := range programs {
		for _, on := range r.platforms {
			if p.runsOn(on) {
				files[i] = append(files[i], r.archiveName(p, on))
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, on := range r.platforms {
		for _, p := range programs {
			if !p.runsOn(on) {
				continue
			}
			group.Go(func() error {
				if err := r.pack(ctx, p, on); err != nil {
					return fmt.Errorf("%s for %s/%s: %w", p.name, on.os, on.arch, err)
				}
				_, err := fmt.Fprintln(r.out, r.archiveName(p, on))
				return err
			})
		}
	}
	return files, group.Wait()
}
