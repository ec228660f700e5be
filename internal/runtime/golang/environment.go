package golang

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jeton-dev/jeton/internal/runtime"
	"github.com/jeton-dev/jeton/internal/runtime/internal/tool"
)

// settingsTimeout is the time in which the go command must print its settings.
const settingsTimeout = 20 * time.Second

// scratch returns the folder for the temporary files of a build.
func scratch(output string) string { return filepath.Join(output, ".build") }

// environment returns the environment of a build step that downloads nothing. It has only
// PATH of the server's environment.
func environment(temporary, modules, compiled string) []string {
	return append([]string{
		"CGO_ENABLED=0",
		"GOENV=off",
		"GOFLAGS=-modcacherw",
		"GOTELEMETRY=off",
		"GOTOOLCHAIN=local",
		"GOWORK=off",
		"GOPROXY=off",
		"GOSUMDB=off",
		"GOCACHE=" + compiled,
		"GOMODCACHE=" + modules,
		"GOPATH=" + filepath.Join(temporary, "gopath"),
		"HOME=" + temporary,
		"TMPDIR=" + temporary,
	}, tool.Inherited()...)
}

// readSettings returns the settings of tool.ModuleSources that the go command has in the
// environment of the server or in its configuration file.
func (b *Builder) readSettings() ([]string, error) {
	toolchain, err := b.toolchains.For(runtime.Go)
	if err != nil {
		return nil, err
	}
	out, err := tool.Run(context.Background(), tool.Command{
		Args:    append([]string{toolchain.Path, "env", "-json"}, tool.ModuleSources...),
		Env:     append(os.Environ(), "GOTOOLCHAIN=local"),
		Timeout: settingsTimeout, Unredacted: true,
	})
	if err != nil {
		return nil, fmt.Errorf("read settings of Go: %w", err)
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(out), &values); err != nil {
		return nil, fmt.Errorf("read settings of Go: %w", err)
	}
	var settings []string
	for _, name := range tool.ModuleSources {
		settings = append(settings, name+"="+values[name])
	}
	return settings, nil
}
