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

// moduleSources are the settings of Go that say where modules come from and how
// they are checked. The go command knows them from the environment or from its
// own configuration file.
var moduleSources = []string{"GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB"}

// settingsTimeout bounds how long the go command may take to tell its settings.
const settingsTimeout = 20 * time.Second

// scratch is the folder for a build's temporary files, beside its output.
func scratch(output string) string { return filepath.Join(output, ".build") }

// environment returns the environment of a step of a build. It has nothing of the
// server's but PATH, and downloads nothing.
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

// readSettings asks the go command, with the server's own environment, for the
// settings about module sources.
func (b *Builder) readSettings() ([]string, error) {
	toolchain, err := b.toolchains.For(runtime.Go)
	if err != nil {
		return nil, err
	}
	out, err := tool.Run(context.Background(), tool.Command{
		Args:    append([]string{toolchain.Path, "env", "-json"}, moduleSources...),
		Env:     append(os.Environ(), "GOTOOLCHAIN=local"),
		Timeout: settingsTimeout, Unredacted: true,
	})
	if err != nil {
		return nil, fmt.Errorf("read Go's settings: %w", err)
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(out), &values); err != nil {
		return nil, fmt.Errorf("read Go's settings: %w", err)
	}
	var settings []string
	for _, name := range moduleSources {
		settings = append(settings, name+"="+values[name])
	}
	return settings, nil
}
