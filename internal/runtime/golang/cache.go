package golang

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
	"github.com/jeton-dev/jeton/internal/tree"
)

// caches has the folders of one project for GOMODCACHE and GOCACHE.
type caches struct{ modules, compiled string }

func cachesOf(build runtime.Build) caches {
	return caches{modules: filepath.Join(build.Cache, "go-mod"), compiled: filepath.Join(build.Cache, "go-build")}
}

// prepare creates the caches of a project. GOCACHE is initially a copy of the base cache.
func (b *Builder) prepare(ctx context.Context, t runtime.Toolchain, c caches, build runtime.Build) error {
	if err := os.MkdirAll(c.modules, 0o700); err != nil {
		return err
	}
	if _, err := os.Lstat(c.compiled); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	base, err := b.baseCache(ctx, t, build)
	if err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(build.Cache, "new-*")
	if err != nil {
		return err
	}
	defer func() { _ = tree.Remove(unfinished) }()
	copied := filepath.Join(unfinished, "go-build")
	if err := tree.Copy(ctx, base, copied, tree.Options{}); err != nil {
		return fmt.Errorf("copy the compiled standard library: %w", err)
	}
	if err := os.Rename(copied, c.compiled); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// baseModule is a function that imports the packages that the generated main package
// imports.
var baseModule = map[string]string{
	"go.mod":  "module base\n\ngo 1.21\n",
	"base.go": "package base\n\nimport \"net/http\"\n\nfunc Handle(http.ResponseWriter, *http.Request) {}\n",
}

// baseCache returns the folder of the compiled standard library for the toolchain, and
// creates it if necessary.
func (b *Builder) baseCache(ctx context.Context, t runtime.Toolchain, build runtime.Build) (string, error) {
	fingerprint, err := b.Fingerprint()
	if err != nil {
		return "", err
	}
	base := filepath.Join(b.config.Base, "go-"+fingerprint[:16])
	if err := b.lockBase(ctx, build); err != nil {
		return "", err
	}
	defer func() { <-b.base }()
	if _, err := os.Lstat(base); !errors.Is(err, fs.ErrNotExist) {
		return base, err
	}
	if err := os.MkdirAll(b.config.Base, 0o700); err != nil {
		return "", err
	}
	unfinished, err := os.MkdirTemp(b.config.Base, "new-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = tree.Remove(unfinished) }()
	if err := b.compileBase(ctx, t, unfinished, build); err != nil {
		return "", fmt.Errorf("compile the standard library: %w", err)
	}
	// Another server may have created it meanwhile.
	err = os.Rename(filepath.Join(unfinished, "compiled"), base)
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	return base, errors.Join(err, removeOldBases(b.config.Base, base))
}

// oldBase is the age from which a base cache is removed when a new one is created.
const oldBase = 30 * 24 * time.Hour

// removeOldBases removes the base caches of toolchains that are probably no longer
// installed.
func removeOldBases(dir, newest string) error {
	made, err := os.Lstat(newest)
	if err != nil {
		return err
	}
	all, err := filepath.Glob(filepath.Join(dir, "go-*"))
	for _, path := range all {
		info, statErr := os.Lstat(path)
		if statErr == nil && made.ModTime().Sub(info.ModTime()) > oldBase {
			err = errors.Join(err, tree.Remove(path))
		}
	}
	return err
}

// lockBase waits until no other build creates the base cache. It does not occupy a build
// slot while it waits.
func (b *Builder) lockBase(ctx context.Context, build runtime.Build) error {
	for {
		select {
		case b.base <- struct{}{}:
			return nil
		default:
		}
		err := build.Fetch(ctx, func(ctx context.Context) error {
			select {
			case b.base <- struct{}{}:
				<-b.base
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil {
			return err
		}
	}
}

func (b *Builder) compileBase(ctx context.Context, t runtime.Toolchain, dir string, build runtime.Build) error {
	m := &module{dir: filepath.Join(dir, "source"), path: "base", pkg: "base"}
	compiled, temporary := filepath.Join(dir, "compiled"), filepath.Join(dir, "temporary")
	for _, folder := range []string{m.dir, compiled, temporary} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	for name, text := range baseModule {
		if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	main, err := m.writeMain("Handle")
	if err != nil {
		return err
	}
	args := append([]string{t.Path, "build"}, flags()...)
	_, err = tool.Run(ctx, tool.Command{
		Args: append(args, "-o", filepath.Join(temporary, program), "./"+main),
		Dir:  m.dir, Env: environment(temporary, filepath.Join(temporary, "modules"), compiled),
		Readable: []string{m.dir}, Writable: []string{temporary, compiled},
		Isolation: t.Isolation, Log: build.Log, Timeout: DefaultTimeout,
	})
	return err
}
