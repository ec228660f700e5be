package golang

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// fetched returns the folder with the part of the source that the download may read.
func fetched(build runtime.Build) string { return filepath.Join(scratch(build.Output), "fetch") }

// fetch downloads the modules that go.mod requires, unless the archive contains them. The
// step has network access, and sees only go.mod and go.sum files of the source. If
// downloads fail, fetch returns the output of the go command and no error, because the
// build may not need those modules.
func (b *Builder) fetch(ctx context.Context, t runtime.Toolchain, build runtime.Build, m *module, c caches) (missing string, err error) {
	if !m.downloads {
		return "", nil
	}
	if t.Offline != "" {
		return t.Offline + ": put the modules into the archive with: go mod vendor", nil
	}
	settings, err := b.settings()
	if err != nil {
		return "", err
	}
	dir, err := filepath.Rel(build.Source, m.dir)
	if err != nil {
		return "", err
	}
	isModule := func(name string) bool { return slices.Contains([]string{"go.mod", "go.sum"}, path.Base(name)) }
	if err := tool.Skeleton(ctx, build.Source, fetched(build), isModule, false); err != nil {
		return "", err
	}
	defer os.RemoveAll(fetched(build))
	temporary := scratch(build.Output)
	var out string
	err = build.Fetch(ctx, func(ctx context.Context) error {
		out, err = tool.Run(ctx, tool.Command{
			Args: []string{t.Path, "mod", "download"},
			Dir:  filepath.Join(fetched(build), dir),
			// The last value of a variable wins.
			Env:       slices.Concat(environment(temporary, c.modules, filepath.Join(temporary, "compiled")), settings),
			Writable:  []string{temporary, c.modules},
			Network:   true,
			Isolation: t.Isolation,
			Log:       build.Log,
			Timeout:   b.config.Timeout,
		})
		return err
	})
	var failure *tool.Failure
	switch {
	case errors.Is(err, tool.ErrTimeout):
		return "", runtime.Failf("the download of modules took longer than %v", b.config.Timeout)
	case errors.As(err, &failure):
		return out, nil
	}
	return "", err
}
