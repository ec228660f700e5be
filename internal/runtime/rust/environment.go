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

// scratch is the folder for a build's temporary files, beside its output.
func scratch(output string) string { return filepath.Join(output, ".build") }

// home is cargo's own CARGO_HOME of a project: it keeps the crates that were
// downloaded.
func home(build runtime.Build) string { return filepath.Join(build.Cache, "cargo") }

// shared is what was compiled for the builds of a project that share it.
func shared(build runtime.Build) string { return filepath.Join(build.Cache, "rust-target") }

// environment returns the whole environment of a build. It has nothing of the
// server's but what is needed to link.
func (b *Builder) environment(t runtime.Toolchain, build runtime.Build) ([]string, error) {
	temporary := scratch(build.Output)
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for the build: %w", err)
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
		// The rustc beside cargo, and not another one in PATH.
		"RUSTC=" + filepath.Join(bin, "rustc"),
		// No other program in the compiler's place.
		"RUSTC_WRAPPER=", "RUSTC_WORKSPACE_WRAPPER=",
		"HOME=" + temporary,
		"TMPDIR=" + temporary,
	}
	return append(env, tool.Inherited()...), nil
}

// maxShared is how large the folder of shared crates may grow, in bytes.
const maxShared = 4 << 30

// boundShared begins the folder of shared crates anew when it has grown too large:
// cargo itself never takes anything out.
func (b *Builder) boundShared(ctx context.Context, build runtime.Build) error {
	if !b.config.Share {
		return nil
	}
	_, err := tree.Measure(ctx, shared(build), tree.Limits{Bytes: maxShared})
	if errors.Is(err, tree.ErrLimit) {
		err = tree.Remove(shared(build))
	}
	if err != nil {
		return fmt.Errorf("bound the folder of compiled crates: %w", err)
	}
	return nil
}

const configFile = "config.toml"

// configure gives cargo's home the operator's choice of a source, which that of an
// archive goes before.
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
