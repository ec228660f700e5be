package rust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

const (
	lockFile = "Cargo.lock"
	vendored = "vendor"
	// describeTimeout is the time in which cargo must read a manifest.
	describeTimeout = time.Minute
)

// A crate is the crate that contains the handler's function.
type crate struct {
	// dir is the path of its root folder.
	dir string
	// name is the name of its package.
	name string
	// vendored reports whether the archive has a folder with all crates, but no
	// configuration of cargo for it.
	vendored bool
	// configured reports whether the archive has a configuration of cargo.
	configured bool
}

// metadata is the relevant part of the output of cargo metadata.
type metadata struct {
	Packages []struct {
		Name         string
		ManifestPath string `json:"manifest_path"`
		Targets      []struct{ Kind []string }
	}
}

// readCrate reads the manifest in the folder of the handler with cargo.
func (b *Builder) readCrate(ctx context.Context, t runtime.Toolchain, build runtime.Build, env []string) (*crate, error) {
	c := &crate{dir: filepath.Join(build.Source, filepath.FromSlash(build.Handler.Dir))}
	manifest := filepath.Join(c.dir, "Cargo.toml")
	if !isFile(manifest) {
		return nil, runtime.Failf("there is no %s in the archive: make one with: cargo init --lib, and in it "+
			"[lib] with path = \"src/handler.rs\"", path.Join(build.Handler.Dir, "Cargo.toml"))
	}
	out, err := tool.Run(ctx, tool.Command{
		Args:      []string{t.Path, "metadata", "--no-deps", "--offline", "--format-version", "1", "--manifest-path", manifest},
		Dir:       c.dir,
		Env:       env,
		Readable:  append(b.readable(build), build.Source),
		Writable:  []string{scratch(build.Output)},
		Isolation: t.Isolation,
		Log:       build.Log,
		Timeout:   describeTimeout,
	})
	var failure *tool.Failure
	if errors.As(err, &failure) {
		return nil, runtime.Failf("Cargo.toml cannot be read:\n%s", tool.Excerpt(out, excerptLines, build.Source+"/"))
	}
	if err != nil {
		return nil, fmt.Errorf("read Cargo.toml: %w", err)
	}
	if c.name, err = nameOf(out, manifest); err != nil {
		return nil, err
	}
	hasVendor := isFolder(filepath.Join(c.dir, vendored))
	c.configured = isConfigured(c.dir, build.Source)
	c.vendored = hasVendor && !c.configured
	return c, nil
}

// isConfigured reports whether cargo finds a configuration between dir and the root of the
// archive.
func isConfigured(dir, root string) bool {
	for ; ; dir = filepath.Dir(dir) {
		if isFile(filepath.Join(dir, ".cargo", "config.toml")) || isFile(filepath.Join(dir, ".cargo", "config")) {
			return true
		}
		if dir == root || dir == filepath.Dir(dir) {
			return false
		}
	}
}

// nameOf returns the name of the package of the manifest, which must have a library.
func nameOf(out, manifest string) (string, error) {
	// Warnings precede the JSON.
	_, text, found := strings.Cut("\n"+out, "\n{")
	if !found {
		return "", errors.New("read output of cargo metadata: no JSON")
	}
	var described metadata
	if err := json.NewDecoder(strings.NewReader("{" + text)).Decode(&described); err != nil {
		return "", fmt.Errorf("read output of cargo metadata: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(manifest)
	if err != nil {
		return "", err
	}
	for _, pkg := range described.Packages {
		if pkg.ManifestPath != manifest && pkg.ManifestPath != resolved {
			continue
		}
		for _, target := range pkg.Targets {
			if slices.Contains(target.Kind, "lib") || slices.Contains(target.Kind, "rlib") {
				return pkg.Name, nil
			}
		}
		return "", runtime.Failf("the crate %s has no library, which a function is in: add to Cargo.toml: "+
			"[lib] with path = \"src/handler.rs\"", pkg.Name)
	}
	return "", runtime.Failf("Cargo.toml describes no package: the root of a workspace is not enough, name the folder of the crate in the handler")
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
