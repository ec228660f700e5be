package rust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// scratch is the folder for a build's temporary files, beside its output.
func scratch(output string) string { return filepath.Join(output, ".build") }

// environment returns the whole environment of a build. It has nothing of the
// server's but what is needed to link, and to download crates.
func (b *Builder) environment(t runtime.Toolchain, output string) ([]string, error) {
	temporary := scratch(output)
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return nil, fmt.Errorf("make folder for the build: %w", err)
	}
	if err := b.configure(); err != nil {
		return nil, fmt.Errorf("configure cargo: %w", err)
	}
	target := b.config.SharedTarget
	if target == "" {
		target = filepath.Join(temporary, "target")
	}
	bin := filepath.Dir(t.Path)
	env := []string{
		"CARGO_HOME=" + b.config.Home,
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

// maxShared is how large the shared folder of compiled crates may grow, in bytes.
const maxShared = 4 << 30

// boundShared begins the shared folder anew when it has grown too large: cargo
// itself never takes anything out.
func (b *Builder) boundShared() error {
	if b.config.SharedTarget == "" {
		return nil
	}
	var size int64
	err := filepath.WalkDir(b.config.SharedTarget, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) || err == nil && size <= maxShared {
		return nil
	}
	if err := errors.Join(err, os.RemoveAll(b.config.SharedTarget)); err != nil {
		return fmt.Errorf("bound the folder of compiled crates: %w", err)
	}
	return nil
}

// configure gives cargo's home the operator's choice of a source, which that of an
// archive goes before.
func (b *Builder) configure() error {
	if err := os.MkdirAll(b.config.Home, 0o700); err != nil {
		return err
	}
	file := filepath.Join(b.config.Home, "config.toml")
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
	unfinished := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(unfinished, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(unfinished, file)
}
