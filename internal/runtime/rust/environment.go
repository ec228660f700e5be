package rust

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
	"github.com/jeton-dev/jeton/internal/tree"
)

// scratch returns the folder for the temporary files of a build.
func scratch(output string) string { return filepath.Join(output, ".build") }

// home returns the CARGO_HOME of the project, which contains the downloaded crates.
func home(build runtime.Build) string { return filepath.Join(build.Cache, "cargo") }

// shared returns the folder with compiled crates that the builds of a project share.
func shared(build runtime.Build) string { return filepath.Join(build.Cache, "rust-target") }

// environment returns the whole environment of a build. It has only PATH of the server's
// environment, which linking needs.
func (b *Builder) environment(t runtime.Toolchain, build runtime.Build) ([]string, error) {
	temporary := scratch(build.Output)
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return nil, fmt.Errorf("create folder for the build: %w", err)
	}
	if err := b.configure(home(build)); err != nil {
		return nil, fmt.Errorf("configure cargo: %w", err)
	}
	target := filepath.Join(temporary, "target")
	if b.config.Share {
		target = shared(build)
	}
	bin := filepath.Dir(t.Path)
	env := []string{
		"CARGO_HOME=" + home(build),
		"CARGO_TARGET_DIR=" + target,
		"CARGO_TERM_COLOR=never",
		"CARGO_TERM_PROGRESS_WHEN=never",
		// The rustc of the same toolchain, not another one in PATH.
		"RUSTC=" + filepath.Join(bin, "rustc"),
		// Empty values override a configured wrapper of the compiler.
		"RUSTC_WRAPPER=", "RUSTC_WORKSPACE_WRAPPER=",
		"HOME=" + temporary,
		"TMPDIR=" + temporary,
	}
	return append(env, tool.Inherited()...), nil
}

// maxShared is the maximum size of the folder of shared crates in bytes.
const maxShared = 4 << 30

// boundShared removes the folder of shared crates if it is too large, because cargo never
// removes anything.
func (b *Builder) boundShared(ctx context.Context, build runtime.Build) error {
	if !b.config.Share {
		return nil
	}
	_, err := tree.Measure(ctx, shared(build), tree.Limits{Bytes: maxShared})
	if errors.Is(err, tree.ErrLimit) {
		err = tree.Remove(shared(build))
	}
	if err != nil {
		return fmt.Errorf("limit the folder of shared crates: %w", err)
	}
	return nil
}

const configFile = "config.toml"

// configure writes the source of crates to the configuration in CARGO_HOME. The
// configuration of an archive overrides it.
func (b *Builder) configure(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return err
	}
	file := filepath.Join(home, configFile)
	if b.config.Crates == "" {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	kind := "registry"
	if filepath.IsAbs(b.config.Crates) {
		kind = "directory"
	}
	text := fmt.Sprintf("[source.crates-io]\nreplace-with = \"jeton\"\n\n[source.jeton]\n%s = %q\n", kind, b.config.Crates)
	// Another server may build with the same home.
	return renameio.WriteFile(file, []byte(text), 0o600, renameio.WithTempDir(home))
}
